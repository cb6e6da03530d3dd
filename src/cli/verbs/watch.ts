import type { WatchEvent } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import type { Verb } from '../verb.ts'

const defaultPath = '/workspace'

export const watch: Verb = {
  usage: 'watch [options] [path]',
  description: `
Shows the changes in a directory (default: ${defaultPath}) until it is interrupted: a line for each change, or an object
with --json. Ends with code 1 when the directory or the sandbox is removed.

A glob without a slash matches names at any depth, a glob with a slash matches paths relative to the directory.`,
  examples: [
    ['watch', 'all changes below /workspace'],
    ["watch src --include '*.ts'", 'those of some files'],
  ],
  options: {
    include: { type: 'string', multiple: true, value: '<glob>', help: 'Show only matching paths; repeatable' },
    exclude: { type: 'string', multiple: true, value: '<glob>', help: 'Leave out matching paths; repeatable' },
    'no-recursive': { type: 'boolean', help: 'Leave out subdirectories' },
  },
  shared: ['session', 'cwd', 'json'],
  operands: [0, 1],
  async run({ program, values, operands: [path = values.cwd ?? defaultPath] }) {
    const client = await openClient(program, values)
    const options = {
      include: globs(values['include']),
      exclude: globs(values['exclude']),
      recursive: values['no-recursive'] !== true,
    }
    for await (const event of client.files.watch(path, options)) await show(program, event, values.json === true)
    return 1
  },
}

/** Prints changes on stdout, and the state of the watch on stderr. */
async function show(program: Program, event: WatchEvent, json: boolean): Promise<void> {
  if (json) return program.stdout.line(JSON.stringify(event))
  const { type, path } = event
  if (type === 'watching') await program.stderr.line(`Watching ${printable(path)}`)
  else if (type === 'stopped' || type === 'overflow') await program.stderr.line(printable(event.message))
  else {
    const from = type === 'rename' ? `${printable(event.oldPath)} -> ` : ''
    await program.stdout.line(`${type.padEnd(6)}  ${from}${printable(path)}${event.directory ? '/' : ''}`)
  }
}

function globs(value: string | boolean | string[] | undefined): string[] | undefined {
  return Array.isArray(value) ? value : undefined
}
