import type { WatchEvent } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import type { Verb } from '../verb.ts'

const defaultPath = '/workspace'

export const watch: Verb = {
  usage: 'watch [options] [path]',
  description: `
Shows what changes in a directory, ${defaultPath} unless another is named, until it is interrupted: a line for each
change, with --json as an object. Ends with code 1 when the directory or the sandbox goes.

A glob without a slash is for names at any depth, one with a slash for paths from the directory on.`,
  options: {
    include: { type: 'string', multiple: true, value: '<glob>', help: 'Show only what matches; repeatable' },
    exclude: { type: 'string', multiple: true, value: '<glob>', help: 'Leave out what matches; repeatable' },
    'no-recursive': { type: 'boolean', help: 'Not what is in directories below' },
  },
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

/** Changes go to stdout, what is said about the watching to stderr. */
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
