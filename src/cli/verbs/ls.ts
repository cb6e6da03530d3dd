import type { FileEntry } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'

const defaultPath = '/workspace'

export const ls: Verb = {
  usage: 'ls [options] [path]',
  description: `Lists a directory, ${defaultPath} unless another is named.`,
  options: {},
  operands: [0, 1],
  async run({ program, values, operands: [path = values.cwd ?? defaultPath] }) {
    const client = await openClient(program, values)
    const files = await client.files.list(path)
    await program.stdout.write(values.json ? `${JSON.stringify({ path, files })}\n` : listing(files))
    return 0
  },
}

function listing(files: FileEntry[]): string {
  const rows = files.map(({ name, type, size, mode, modified, target }) => [
    modeString(type, mode),
    String(size),
    shortTime(modified),
    name + (type === 'directory' ? '/' : target === undefined ? '' : ` -> ${target}`),
  ])
  return table([{}, { align: 'right' }, {}, {}], rows)
}

const typeLetters: Record<FileEntry['type'], string> = { file: '-', directory: 'd', symlink: 'l', other: '?' }

/** Such as `drwxr-xr-x`. */
function modeString(type: FileEntry['type'], mode: number | string): string {
  const bits = typeof mode === 'string' ? Number.parseInt(mode, 8) : mode
  const triples = [6, 3, 0].map((shift) => {
    const triple = bits >> shift
    return `${triple & 4 ? 'r' : '-'}${triple & 2 ? 'w' : '-'}${triple & 1 ? 'x' : '-'}`
  })
  return (typeLetters[type] ?? '?') + triples.join('')
}
