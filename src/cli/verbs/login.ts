import { text } from 'node:stream/consumers'
import { isatty } from 'node:tty'
import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { configPaths, saveConfigFile, shortPath } from '../config-file.ts'
import { clientOf } from '../open-client.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const login: Verb = {
  usage: 'login [options] <token>',
  description: `
Checks the token against the server and saves it, with the server's address, where only you can read it. Without an
operand the token is read from stdin, so that it stays out of the shell's history.`,
  options: {},
  operands: [0, 1],
  async run({ program, values, operands: [operand] }) {
    const { url } = await readSettings(program, { ...values, token: 'none' })
    const value = await tokenFrom(operand)
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

async function tokenFrom(operand: string | undefined): Promise<string> {
  if (operand === undefined && isatty(0)) throw new UsageError('The token is missing: login <token>')
  const token = (operand ?? (await text(process.stdin))).trim()
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
