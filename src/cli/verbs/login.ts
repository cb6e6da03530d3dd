import { text } from 'node:stream/consumers'
import { isatty } from 'node:tty'
import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { configPaths, saveConfigFile, shortPath } from '../config-file.ts'
import { joinWorkspace } from '../login/join-workspace.ts'
import { answerTo, parseMailedLink } from '../login/mailed-link.ts'
import { signInByMail } from '../login/sign-in-by-mail.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Call, Verb } from '../verb.ts'

export const login: Verb = {
  usage: 'login [options] [token]',
  description: `
Saves a token that the server accepts, with the server's address, where only you can read it. Without an operand it asks
for your mail address, requests a sign-in link, and takes that link, or the token that its page shows. If stdin is not a
terminal, the token is read from stdin, which keeps it out of the shell's history.

The link of an invitation can replace the token: it makes the user that it was sent to a member of the workspace, and
signs nobody in. A user who is not signed in does that next.`,
  examples: [
    ['login ada@example.com', 'signs in by a mailed link'],
    ['login pp_sess_...', 'with a token'],
    ['login --url https://carrel.example.com', 'on another server'],
  ],
  options: {},
  shared: ['timeout', 'json'],
  operands: [0, 1],
  async run(call) {
    const { program, values, operands } = call
    const given = await givenText(operands[0])
    const link = parseMailedLink(given)
    if (link?.kind !== 'invitation') return signIn(call, given)
    const { workspaceId, email, signedIn, tokenSource } = await joinWorkspace(call, link)
    if (values.json) return 0
    const login = `"${program.name} login ${printable(email)}" signs in with that address.`
    if (signedIn === 'another user')
      await program.stdout.line(`The token from ${tokenSource} belongs to somebody else and is kept. ${login}`)
    else if (signedIn === 'nobody' && !isatty(0)) await program.stdout.line(login)
    else {
      if (signedIn === 'nobody') await signIn(call, email)
      await program.stdout.line(`"${program.name} workspaces use ${workspaceId}" selects it.`)
    }
    return 0
  },
}

/** Returns the operand, else stdin; at a terminal it asks for an address or the link of an invitation. */
async function givenText(operand: string | undefined): Promise<string> {
  if (operand !== undefined) return operand.trim()
  if (!isatty(0)) return (await text(process.stdin)).trim()
  const address = await ask('Your mail address: ')
  if (address === '') throw new UsageError('The mail address is empty')
  return address
}

/** Signs in by a token, by a link, or by an address at a terminal. */
async function signIn(call: Call, given: string): Promise<number> {
  const { program, values } = call
  const { url } = await readSettings(program, { ...values, token: 'none' })
  const nobody = clientOf(program, values, { url, token: undefined })
  const accept = async (text: string, source: string) => {
    program.tokenSource = undefined
    const token = await tokenOf(nobody, text)
    return { token, expiresAt: await check(clientOf(program, values, { url, token: { value: token, source } })) }
  }
  const { token, expiresAt } = isAddress(call, given)
    ? await signInByMail(call, nobody, given, (answer) => accept(answer, 'the terminal'))
    : await accept(given, 'the command line')
  const [path] = configPaths(program)
  await saveConfigFile(path, { token, url, expiresAt })
  const variable = ['CARREL_TOKEN', 'PAPERPOD_TOKEN'].find((name) => program.env[name])
  if (values.json) await program.stdout.line(JSON.stringify({ url, config: path, overriddenBy: variable ?? null }))
  else await program.stdout.line(`Logged in to ${url}; the token is saved in ${shortPath(path)}`)
  if (variable && !values.json)
    await program.stderr.line(`${program.name}: ${variable} is set and takes precedence over the saved token`)
  return 0
}

/**
 * Returns whether the text is an address, which only a terminal accepts. An answer to the prompt is one unless it looks
 * like a token.
 */
function isAddress({ operands }: Call, given: string): boolean {
  if (!isatty(0) || URL.canParse(given)) return false
  return given.includes('@') || (operands.length === 0 && !/^(pp_sess_|ak_|eyJ)/.test(given))
}

async function tokenOf(client: Carrel, given: string): Promise<string> {
  const link = parseMailedLink(given)
  if (!link) return checked(given)
  return (await answerTo(link, client.baseUrl, () => client.redeemLink(link.code))).token
}

function checked(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new UsageError('The token is empty or has invalid characters')
}

/** Rejects if the server refuses the token. Resolves with its expiry, if the server reports it. */
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
