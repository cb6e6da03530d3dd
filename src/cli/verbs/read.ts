import { createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { stopOnSignal } from '../interrupted.ts'
import { openClient } from '../open-client.ts'
import { Progress } from '../progress.ts'
import type { Verb } from '../verb.ts'

export const read: Verb = {
  usage: 'read [options] <path>',
  description: `
Writes the bytes of a file to stdout, or to a local file with -o. With --json the content is text, or base64 if it is
not UTF-8.`,
  examples: [
    ['read notes.txt', '/workspace/notes.txt to stdout'],
    ['read data.csv -o here.csv', 'to a local file'],
  ],
  options: { output: { type: 'string', short: 'o', value: '<file>', help: 'Write to this local file' } },
  shared: ['session', 'timeout', 'json'],
  operands: [1, 1],
  async run({ program, values, operands: [path = ''] }) {
    const client = await openClient(program, values)
    if (values.json) {
      await program.stdout.line(JSON.stringify(toJson(path, await client.files.readBytes(path))))
      return 0
    }
    const { output } = values
    if (typeof output !== 'string') {
      for await (const chunk of await client.files.readStream(path)) await program.stdout.write(chunk)
      return 0
    }
    const { signal } = stopOnSignal((name) => `The read was stopped by ${name}: "${output}" is as it was`)
    const content = await client.files.readStream(path, { signal })
    await saveTo(output, new Progress(program, values).track(content))
    return 0
  },
}

function toJson(path: string, bytes: Uint8Array): object {
  const size = bytes.length
  try {
    return {
      path,
      size,
      encoding: 'utf8',
      content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    }
  } catch {
    return { path, size, encoding: 'base64', content: Buffer.from(bytes).toString('base64') }
  }
}

/** Writes a file, which appears completely or not at all; a device or a pipe is written as the content arrives. */
async function saveTo(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  if (existing && !existing.isFile()) return pipeline(content, createWriteStream(path))
  const target = existing ? await realpath(path) : path
  const temporary = `${target}.${process.pid}.part`
  try {
    await pipeline(content, createWriteStream(temporary, { flags: 'wx', mode: existing?.mode ?? 0o666 }))
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
