import type { FileEntry } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'

const defaultPath = '/workspace'
/** More than anybody reads; larger directories are better searched in the sandbox. */
const maxEntries = 100_000

export const ls: Verb = {
  usage: 'ls [options] [path]',
  description: `Lists a directory (default: ${defaultPath}).`,
  examples: [
    ['ls', 'what is in /workspace'],
    ['ls /etc', 'what is in another folder'],
  ],
  options: {},
  unknownOption: 'the list has hidden files and all details already, and "exec ls -la" takes the options of ls',
  shared: ['session', 'cwd', 'json', 'timeout'],
  operands: [0, 1],
  async run({ program, values, operands: [path = values.cwd ?? defaultPath] }) {
    const client = await openClient(program, values)
    const found = await client.files.list(path, { limit: maxEntries + 1 })
    const files = found.slice(0, maxEntries)
    const truncated = found.length > files.length
    const answer = { path, files, ...(truncated ? { truncated } : {}) }
    await program.stdout.write(values.json ? `${JSON.stringify(answer)}\n` : listing(files))
    if (truncated)
      await program.stderr.write(`The directory has more than ${maxEntries} entries: only the first are shown.\n`)
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

/** Returns a mode such as `drwxr-xr-x`. */
function modeString(type: FileEntry['type'], mode: number | string): string {
  const bits = typeof mode === 'string' ? Number.parseInt(mode, 8) : mode
  const triples = [6, 3, 0].map((shift) => {
    const triple = bits >> shift
    return `${triple & 4 ? 'r' : '-'}${triple & 2 ? 'w' : '-'}${triple & 1 ? 'x' : '-'}`
  })
  return (typeLetters[type] ?? '?') + triples.join('')
}
