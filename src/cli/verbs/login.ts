import { text } from 'node:stream/consumers'
import { isatty } from 'node:tty'
import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { configPaths, saveConfigFile, shortPath } from '../config-file.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const login: Verb = {
  usage: 'login [options] [token]',
  description: `
Saves a token, with the server's address, where only you can read it, after the server has accepted it. Without an operand it
asks for your mail address, has a link for signing in sent there, and takes that link, or the token that its page shows. Where
stdin is no terminal the token is read from there, so that it stays out of the shell's history.`,
  options: {},
  operands: [0, 1],
  async run({ program, values, operands: [operand] }) {
    const { url } = await readSettings(program, { ...values, token: 'none' })
    const isAsked = isatty(0) && (operand === undefined || operand.includes('@'))
    const value = isAsked
      ? await signInByMail(program, clientOf(program, values, { url, token: undefined }), operand)
      : await tokenFrom(operand)
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
  },
}

/**
 * The link goes to the address alone, and who has it brings it here: a click on it gives nothing to whoever asked for it, so that nobody
 * is signed in elsewhere by a link that a stranger had sent to them.
 */
async function signInByMail(program: Program, client: Carrel, given: string | undefined): Promise<string> {
  const address = given ?? (await ask('Your mail address: '))
  if (address === '') throw new UsageError('The mail address is empty')
  await client.requestLink(address)
  await program.stderr.line(`A link is on its way to ${printable(address)}; it works once, within 15 minutes.`)
  const answer = await ask('Paste the link, or the token that its page shows (it is not shown here): ', {
    secret: true,
  })
  const code = URL.canParse(answer) ? new URL(answer).searchParams.get('token') : null
  return code === null ? checked(answer) : (await client.redeemLink(code)).token
}

async function tokenFrom(operand: string | undefined): Promise<string> {
  return checked((operand ?? (await text(process.stdin))).trim())
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
