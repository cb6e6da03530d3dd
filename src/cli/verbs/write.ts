import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { openClient } from '../open-client.ts'
import { Progress } from '../progress.ts'
import { printable } from '../printable.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

/** Size of one chunk of a local file in memory. */
const chunkBytes = 256 * 1024

export const write: Verb = {
  usage: 'write [options] <path> [file]',
  description: `
Writes a file from a local file, or from stdin if there is none or it is "-". The old file stays until the new one is
complete. Content of any kind and size is accepted.`,
  examples: [
    ['write notes.txt local.txt', 'to /workspace/notes.txt'],
    ['write hi.txt < hi.txt', 'from stdin'],
  ],
  options: {},
  shared: ['session', 'timeout', 'json'],
  operands: [1, 2],
  async run({ program, values, operands: [path = '', file = '-'] }) {
    const client = await openClient(program, { ...values, timeout: undefined })
    const { content, size } = file === '-' ? { content: process.stdin } : await readLocal(file)
    const progress = new Progress(program, values, size)
    const requestTimeoutMs = values.timeout === undefined ? undefined : Number(values.timeout)
    const originalName = file === '-' ? undefined : basename(file)
    const answer = await client.files.write(path, progress.track(content), { originalName, requestTimeoutMs })
    if (values.json) await program.stdout.line(JSON.stringify(answer))
    else await program.stdout.line(`Wrote ${answer.size} bytes to ${printable(answer.path)}`)
    return 0
  },
}

/** Opens the file before anything is sent, so that an unreadable file causes no request. */
async function readLocal(file: string): Promise<{ content: AsyncIterable<Uint8Array>; size?: number }> {
  const handle = await open(file)
  const info = await handle.stat()
  if (!info.isDirectory()) {
    const content = createReadStream('', { fd: handle, highWaterMark: chunkBytes })
    return info.isFile() ? { content, size: info.size } : { content }
  }
  await handle.close()
  throw new UsageError(`Cannot write "${file}": it is a folder`)
}
