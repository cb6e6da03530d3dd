import { runInSandbox } from '../in-sandbox.ts'
import { printable } from '../printable.ts'
import type { Call, Verb } from '../verb.ts'

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
    const flags = values['recursive'] ? ['-r'] : []
    const deleted = values['force'] ? await removeExisting(call, flags) : operands
    if (!values['force']) await runInSandbox(call, ['rm', ...flags, '--', ...operands], advice)
    if (values.json) await program.stdout.line(JSON.stringify({ deleted }))
    else for (const path of deleted) await program.stdout.line(`Deleted ${printable(path)}`)
    return 0
  },
}

/** Deletes the paths that exist. Resolves with those: `rm -f` does not tell them from the others. */
async function removeExisting(call: Call, flags: string[]): Promise<string[]> {
  const { operands } = call
  const argv = ['sh', '-c', `${listExisting}; exec rm -f ${flags.join(' ')} -- "$@"`, 'sh', ...operands]
  const places = await runInSandbox(call, argv, advice)
  return places
    .split('\n')
    .filter((place) => place !== '')
    .map((place) => operands[Number(place)]!)
}

/** Prints the places of the paths that exist, from 0. A link exists even if its target does not. */
const listExisting =
  'place=0; for path; do if [ -e "$path" ] || [ -L "$path" ]; then echo "$place"; fi; place=$((place + 1)); done'
