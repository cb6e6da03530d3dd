import { runInSandbox } from '../in-sandbox.ts'
import { printable } from '../printable.ts'
import type { Verb } from '../verb.ts'

const advice = { 'No such file or directory': 'a folder above it does not exist; -p creates missing ones' }

export const mkdir: Verb = {
  usage: 'mkdir [options] <path>...',
  description: `
Creates folders in the sandbox. Relative paths are below /workspace, or below --cwd.`,
  examples: [['mkdir -p app/src app/test', 'two folders, and "app" if it is missing']],
  options: { parents: { type: 'boolean', short: 'p', help: 'Create missing parents; an existing folder is no error' } },
  shared: ['session', 'cwd', 'json'],
  operands: [1, Infinity],
  async run(call) {
    const { program, values, operands } = call
    await runInSandbox(call, ['mkdir', ...(values['parents'] ? ['-p'] : []), '--', ...operands], advice)
    if (values.json) await program.stdout.line(JSON.stringify({ created: operands }))
    else for (const path of operands) await program.stdout.line(`Created ${printable(path)}`)
    return 0
  },
}
