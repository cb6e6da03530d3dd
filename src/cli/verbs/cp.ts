import { WebSocket } from 'ws'
import { download } from '../copy/download.ts'
import { parsePlace, type Place } from '../copy/place.ts'
import { upload } from '../copy/upload.ts'
import { stopOnSignal } from '../interrupted.ts'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import { shortSize } from '../sizes.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

export const cp: Verb = {
  usage: 'cp [options] <from> <to>',
  description: `
Copies a file or a folder into a sandbox, or out of one. A path in a sandbox begins with ":", or with the sandbox's name
and ":"; a relative path is below /workspace. A copy into an existing folder keeps its name. Modes are kept, links stay
links, and a new folder appears completely or not at all. Ctrl-C leaves no file half-written, and exits with 130.`,
  examples: [
    ['cp notes.txt :', 'a file to /workspace/notes.txt'],
    ['cp src :app', 'a folder, as /workspace/app or into it'],
    ['cp src/. :app', 'the content of the folder'],
    ['cp build:/workspace/dist .', 'a folder of the sandbox "build"'],
    ['cp - :data.csv', 'stdin to a file'],
    ['cp :data.csv -', 'a file to stdout; a folder as a tar stream'],
  ],
  options: {
    recursive: { type: 'boolean', short: 'r', help: 'Changes nothing: folders are copied whole without it' },
    archive: { type: 'boolean', short: 'a', help: 'Changes nothing: modes and links are kept without it' },
  },
  unknownOption: 'a folder is copied whole, with its modes and links, without an option',
  shared: ['session', 'cwd', 'json'],
  operands: [2, 2],
  async run({ program, values, operands: [source = '', destination = ''] }) {
    const from = parsePlace(source, values.cwd)
    const to = parsePlace(destination, values.cwd)
    const client = await openClient(program, values, { WebSocket })
    const { signal } = stopOnSignal((name) => stoppedText(name, to))
    const call = { program, values, client, signal }
    let copied: { path: string; bytes: number }
    if (from.kind === 'sandbox' && to.kind !== 'sandbox')
      copied = await download(from, to.kind === 'local' ? to.path : undefined, call)
    else if (to.kind === 'sandbox' && from.kind === 'local') copied = await upload(from.path, { ...call, to })
    else if (to.kind === 'sandbox' && from.kind === 'stream') {
      const { path, size } = await client.files.write(to.path, process.stdin, {
        sessionId: to.sessionId,
        signal,
      })
      copied = { path, bytes: size }
    } else throw new UsageError('Exactly one of the two has to be in a sandbox: ":path" is in the sandbox')
    if (to.kind === 'stream') return 0
    if (values.json) await program.stdout.line(JSON.stringify(copied))
    else await program.stdout.line(`Copied ${shortSize(copied.bytes)} to ${printable(copied.path)}`)
    return 0
  },
}

function stoppedText(signal: string, to: Place): string {
  const rest = to.kind === 'stream' ? 'the output is not complete' : 'no file is left half-written'
  return `The copy was stopped by ${signal}: ${rest}`
}
