import { runInSandbox } from '../in-sandbox.ts'
import { printable } from '../printable.ts'
import type { Verb } from '../verb.ts'

const advice = { 'Is a directory': 'it is a folder; -r deletes folders with everything in them' }

export const rm: Verb = {
  usage: 'rm [options] <path>...',
  description: `
Deletes files in the sandbox, and folders with -r. Relative paths are below /workspace, or below --cwd. A link is deleted,
not its target.`,
  examples: [
    ['rm notes.txt', 'the file /workspace/notes.txt'],
    ['rm -r build dist', 'two folders with everything in them'],
  ],
  options: {
    recursive: { type: 'boolean', short: 'r', help: 'Delete folders with everything in them' },
    force: { type: 'boolean', short: 'f', help: 'A path that does not exist is no error' },
  },
  shared: ['session', 'cwd', 'json'],
  operands: [1, Infinity],
  async run(call) {
    const { program, values, operands } = call
    const flags = [...(values['recursive'] ? ['-r'] : []), ...(values['force'] ? ['-f'] : [])]
    await runInSandbox(call, ['rm', ...flags, '--', ...operands], advice)
    if (values.json) await program.stdout.line(JSON.stringify({ deleted: operands }))
    else for (const path of operands) await program.stdout.line(`Deleted ${printable(path)}`)
    return 0
  },
}
