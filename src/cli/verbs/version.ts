import { clientOf } from '../open-client.ts'
import { packageVersion } from '../package-version.ts'
import { printable } from '../printable.ts'
import { readSettings } from '../settings.ts'
import type { Call, Verb } from '../verb.ts'
import { versionNote } from '../version-note.ts'

/** Long enough for any healthy server. */
const defaultTimeoutMs = '5000'

export const version: Verb = {
  usage: 'version',
  description: 'Shows the versions of this program and of the server. "--version" shows only that of this program.',
  examples: [],
  options: {},
  shared: ['json'],
  operands: [0, 0],
  async run(call) {
    const { program, values } = call
    const own = { name: program.name, version: packageVersion(), node: process.versions.node }
    // "--version" answers at once, without a server.
    const server = values['version'] ? undefined : await serverOf(call)
    if (values.json) {
      await program.stdout.line(JSON.stringify({ ...own, server }))
      return 0
    }
    await program.stdout.line(`${own.name} ${own.version}`)
    if (server?.version !== undefined) {
      await program.stdout.line(`server ${printable(server.version)} at ${server.url}`)
      const note = versionNote(own.version, server.version)
      if (note !== undefined) await program.stderr.line(`${own.name}: ${note}`)
    } else if (server) await program.stdout.line(`server unknown: ${printable(server.error)}`)
    return 0
  },
}

type Server = { url: string; version: string; error?: undefined } | { url: string; version?: undefined; error: string }

async function serverOf({ program, values }: Call): Promise<Server> {
  const settings = await readSettings(program, values)
  const client = clientOf(program, { timeout: defaultTimeoutMs, ...values }, settings, { maxRetries: 0 })
  try {
    return { url: settings.url, version: (await client.health()).version }
  } catch (error) {
    return { url: settings.url, error: (error as Error).message }
  }
}
