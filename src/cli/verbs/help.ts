import { programHelp, verbHelp } from '../help-text.ts'
import { offeredVerbs } from '../offered-verbs.ts'
import { suggestion } from '../../suggestion.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'
import { otherNames, verbs } from '../verbs.ts'

export const help: Verb = {
  usage: 'help [command]',
  description: 'Shows all commands, or one of them.',
  examples: [
    ['help', 'all commands'],
    ['help exec', 'one of them'],
  ],
  options: {},
  shared: ['json'],
  operands: [0, 1],
  async run({ program, values, operands: [name] }) {
    if (values.json) {
      const commands = offeredVerbs().map(([name, { group, synopsis, summary }]) => ({
        name,
        group,
        synopsis,
        summary,
      }))
      await program.stdout.line(JSON.stringify({ commands }))
    } else if (name === undefined) {
      await program.stdout.write(programHelp(program))
    } else {
      const entry = Object.hasOwn(verbs, name) ? verbs[name] : undefined
      if (!entry) throw new UsageError(`Unknown command "${name}"${suggestion(name, Object.keys(verbs), otherNames)}`)
      await program.stdout.write(verbHelp(program, await entry.load()))
    }
    return 0
  },
}
