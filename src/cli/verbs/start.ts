import { parseEnv, parseTimeLimit } from '../arguments.ts'
import { startHints } from '../hints.ts'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import { shellCommand } from '../shell-command.ts'
import type { Verb } from '../verb.ts'

/** The server's default limit for processes started over HTTP is 15 minutes; those started here have none. */
const noTimeLimit = 0

export const start: Verb = {
  usage: 'start [options] <command>',
  description: `
Starts a background process and returns at once. Its id goes to stdout, hints to stderr. The process runs until it
ends, is killed, or reaches its --timeout. "ps" shows its exit code, which is 127 for a program that does not exist;
"logs" shows its output.

One word is a line for the shell; several are a program and its arguments. The options of start end at the first word,
or at "--".`,
  examples: [
    ["start --id web 'python3 -m http.server 8080'", 'a server named "web"'],
    ['start --session build make test', 'in the sandbox "build"'],
  ],
  options: { id: { type: 'string', value: '<id>', help: 'An id of your choice' } },
  shared: ['session', 'cwd', 'env', 'timeout', 'json'],
  operands: [1, Infinity],
  takesCommand: true,
  async run({ program, values, operands }) {
    const { id } = values
    const client = await openClient(program, { ...values, timeout: undefined })
    const answer = await client.processes.start(shellCommand(operands), {
      processId: typeof id === 'string' ? id : undefined,
      env: parseEnv(values.env, program.env),
      cwd: values.cwd,
      timeoutMs: parseTimeLimit(values.timeout) ?? noTimeLimit,
    })
    const hints = startHints(program, answer.processId, values.session)
    if (values.json) await program.stdout.line(JSON.stringify({ ...answer, hints }))
    else {
      await program.stdout.line(printable(answer.processId))
      for (const hint of Object.values(hints)) await program.stderr.line(`  ${printable(hint)}`)
    }
    return 0
  },
}
