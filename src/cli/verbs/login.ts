import { text } from 'node:stream/consumers'
import { isatty } from 'node:tty'
import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { configPaths, saveConfigFile, shortPath } from '../config-file.ts'
import { joinWorkspace } from '../login/join-workspace.ts'
import { answerTo, parseMailedLink } from '../login/mailed-link.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Call, Verb } from '../verb.ts'

export const login: Verb = {
  usage: 'login [options] [token]',
  description: `
Saves a token, with the server's address, where only you can read it, after the server has accepted it. Without an operand it
asks for your mail address, has a link for signing in sent there, and takes that link, or the token that its page shows. Where
stdin is no terminal the token is read from there, so that it stays out of the shell's history.

The link of an invitation can stand in the token's place: it makes whom it was sent to a member of the workspace, and signs
nobody in. Who has not signed in before does that next.`,
  options: {},
  operands: [0, 1],
  async run(call) {
    const { program, values, operands } = call
    const given = await givenText(operands[0])
    const link = parseMailedLink(given)
    if (link?.kind !== 'invitation') return signIn(call, given)
    const { workspaceId, email, signedIn, tokenSource } = await joinWorkspace(call, link)
    if (values.json) return 0
    const login = `"${program.name} login ${printable(email)}" signs in as them.`
    if (signedIn === 'somebody else')
      await program.stdout.line(`The token from ${tokenSource} is somebody else's, and stays. ${login}`)
    else if (signedIn === 'nobody' && !isatty(0)) await program.stdout.line(login)
    else {
      if (signedIn === 'nobody') await signIn(call, email)
      await program.stdout.line(`"${program.name} workspaces use ${workspaceId}" works in it.`)
    }
    return 0
  },
}

/** The operand, else what stdin has; at a terminal the person's address or the link of an invitation. */
async function givenText(operand: string | undefined): Promise<string> {
  if (operand !== undefined) return operand.trim()
  if (!isatty(0)) return (await text(process.stdin)).trim()
  const address = await ask('Your mail address: ')
  if (address === '') throw new UsageError('The mail address is empty')
  return address
}

/** By a token, by a link, or by an address at a terminal. */
async function signIn(call: Call, given: string): Promise<number> {
  const { program, values } = call
  const { url } = await readSettings(program, { ...values, token: 'none' })
  const nobody = clientOf(program, values, { url, token: undefined })
  const isAddress = isatty(0) && given.includes('@') && !URL.canParse(given)
  const value = await tokenOf(nobody, isAddress ? await askForLink(call, nobody, given) : given)
  const client = clientOf(program, values, { url, token: { value, source: 'the command line' } })
  const expiresAt = await check(client)
  const [path] = configPaths(program)
  await saveConfigFile(path, { token: value, url, expiresAt })
  const variable = ['CARREL_TOKEN', 'PAPERPOD_TOKEN'].find((name) => program.env[name])
  if (values.json) await program.stdout.line(JSON.stringify({ url, config: path, overriddenBy: variable ?? null }))
  else await program.stdout.line(`Logged in to ${url}; the token is saved in ${shortPath(path)}`)
  if (variable && !values.json)
    await program.stderr.line(`${program.name}: ${variable} is set and goes before the saved token`)
  return 0
}

/**
 * The link goes to the address alone, and who has it brings it here: a click on it gives nothing to whoever asked for it, so that nobody
 * is signed in elsewhere by a link that a stranger had sent to them.
 */
async function askForLink(call: Call, client: Carrel, address: string): Promise<string> {
  const { program } = call
  await client.requestLink(address)
  await program.stderr.line(`A link is on its way to ${printable(address)}; it works once, within 15 minutes.`)
  for (;;) {
    const answer = await ask('Paste the link, or the token that its page shows (it is not shown here): ', {
      secret: true,
    })
    const link = parseMailedLink(answer)
    if (link?.kind !== 'invitation') return answer
    await joinWorkspace(call, link)
    await program.stderr.line('That was an invitation, which signs nobody in: the link is in the other message.')
  }
}

async function tokenOf(client: Carrel, given: string): Promise<string> {
  const link = parseMailedLink(given)
  if (!link) return checked(given)
  return (await answerTo(link, client.baseUrl, () => client.redeemLink(link.code))).token
}

function checked(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new UsageError('The token is empty, or has characters that no token has')
}

/** Rejects when the server refuses the token; resolves with its end, where the server tells. */
async function check(client: Carrel): Promise<string | undefined> {
  try {
    return (await client.balance()).tokenExpiresAt
  } catch (error) {
    if (!(error instanceof CarrelApiError) || error.status !== 404) throw error
    // A server without accounts has no balance, but every server has processes.
    await client.processes.list()
    return undefined
  }
}
