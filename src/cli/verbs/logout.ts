import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { configPaths, forgetToken, shortPath } from '../config-file.ts'
import { clientOf } from '../open-client.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const logout: Verb = {
  usage: 'logout [options]',
  description: `
Ends your sign-in on the server, which refuses its token from then on, and forgets the saved token. API keys stay valid
until "keys revoke".`,
  examples: [['logout --everywhere', 'ends all sign-ins']],
  options: { everywhere: { type: 'boolean', help: 'End all your other sign-ins too' } },
  shared: ['timeout', 'json'],
  operands: [0, 0],
  async run({ program, values }) {
    const settings = await readSettings(program, values)
    const { token, url } = settings
    if (!token || token.isOwners)
      throw new UsageError(`You are not logged in to ${url}: there is neither a saved token nor one in the environment`)
    const client = clientOf(program, values, settings)
    const others = values['everywhere'] ? await client.sessions.endOthers() : 0
    const wasEnded = await end(client)
    const forgotten = []
    for (const path of configPaths(program)) if (await forgetToken(path, token.value)) forgotten.push(shortPath(path))
    if (values.json) await program.stdout.line(JSON.stringify({ url, ended: wasEnded, others, forgotten }))
    else {
      const also = others > 0 ? `, and of ${others} other ${others === 1 ? 'session' : 'sessions'}` : ''
      await program.stdout.line(`${wasEnded ? 'Logged out of' : 'The token was no longer valid for'} ${url}${also}`)
    }
    if (forgotten.length === 0)
      await program.stderr.line(`${program.name}: the token is still in ${token.source}; remove it there`)
    return 0
  },
}

/** Ends the sign-in. Returns false if the server no longer accepts the token, so that nothing is left to do. */
async function end(client: Carrel): Promise<boolean> {
  try {
    await client.sessions.end()
    return true
  } catch (error) {
    if (error instanceof CarrelApiError && error.status === 401) return false
    throw error
  }
}
