import { packageVersion } from '../package-version.ts'
import type { Verb } from '../verb.ts'

export const version: Verb = {
  usage: 'version',
  description: 'Shows the version of this program. "status" shows that of the server.',
  options: {},
  operands: [0, 0],
  async run({ program, values }) {
    const { name } = program
    const info = { name, version: packageVersion(), node: process.versions.node }
    await program.stdout.line(values.json ? JSON.stringify(info) : `${name} ${info.version}`)
    return 0
  },
}
