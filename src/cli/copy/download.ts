import { createWriteStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Carrel } from '../../../sdk/index.ts'
import { Progress } from '../progress.ts'
import type { Program } from '../program.ts'
import type { Values } from '../verb.ts'
import type { SandboxPlace } from './place.ts'
import { probe } from './probe.ts'
import { unpack } from './unpack.ts'

interface Download {
  program: Program
  values: Values
  client: Carrel
  signal: AbortSignal
}

/** Copies a file or folder of a sandbox to a local path, or to stdout; the answer is where it went, and its bytes. */
export async function download(from: SandboxPlace, to: string | undefined, call: Download) {
  const source = await probe(call.client, from.path, from.sessionId)
  // The server says it best that there is nothing.
  if (source?.isFolder !== true)
    return downloadFile(from, to, { ...call, mode: source?.mode ?? 0o644, size: source?.size })
  return packed(from, call, async (archive, size) => {
    const { program, values, client, signal } = call
    const content = await client.files.readStream(archive, { sessionId: from.sessionId, signal })
    if (to === undefined) {
      for await (const chunk of content) await program.stdout.write(chunk)
      return { path: '-', bytes: size }
    }
    const path = await targetOf(from, to)
    const progress = new Progress(program, values, size)
    await unpackTo(path, source.mode & 0o777, progress.track(complete(content, signal)))
    return { path, bytes: progress.bytes }
  })
}

/** In the folder that is there, or to that very path. */
async function targetOf({ path, isContent }: SandboxPlace, to: string): Promise<string> {
  const existing = await stat(to).catch(() => undefined)
  return existing?.isDirectory() && !isContent ? join(to, posix.basename(path)) : to
}

/** A folder that was not there appears whole or not at all; into one that is there its files go as they come. */
async function unpackTo(path: string, mode: number, content: AsyncIterable<Uint8Array>): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  if (existing) {
    if (!existing.isDirectory()) throw new Error(`Cannot copy a folder to "${path}": a file is there`)
    return unpack(path, content)
  }
  const parent = dirname(path)
  await mkdir(parent, { recursive: true })
  const temporary = await mkdtemp(join(parent, `.${basename(path)}.part-`))
  try {
    await unpack(temporary, content)
    await chmod(temporary, mode)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}

async function downloadFile(
  from: SandboxPlace,
  to: string | undefined,
  { program, values, client, signal, mode, size }: Download & { mode: number; size: number | undefined },
) {
  const content = await client.files.readStream(from.path, { sessionId: from.sessionId, signal })
  const progress = new Progress(program, values, size)
  if (to === undefined) {
    for await (const chunk of content) await program.stdout.write(chunk)
    return { path: '-', bytes: size ?? 0 }
  }
  const path = to.endsWith('/') ? join(to, posix.basename(from.path)) : await targetOf(from, to)
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.part`
  try {
    const file = createWriteStream(temporary, { flags: 'wx', mode: 0o600 })
    await pipeline(progress.track(complete(content, signal)), file)
    await chmod(temporary, mode & 0o777)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  return { path, bytes: progress.bytes }
}

/** Packs a folder in the sandbox into one file, which is gone when `work` is done: its size is known, and it can wait. */
async function packed<T>(
  { path, sessionId }: SandboxPlace,
  { client, signal }: Download,
  work: (archive: string, size: number) => Promise<T>,
): Promise<T> {
  const session = await client.exec({
    argv: ['bash', '-c', packScript, 'cp', path],
    sessionId,
    signal,
  })
  const { exitCode, stdout, stderr } = await session.result()
  const [, archive, size] = /^(\S+)\n(\d+)\n$/.exec(stdout) ?? []
  if (exitCode !== 0 || archive === undefined) {
    const reason = stderr.split('\n', 1)[0] || `tar ended with ${exitCode}`
    throw new Error(`Cannot pack "${path}" in the sandbox: ${reason}`)
  }
  try {
    return await work(archive, Number(size))
  } finally {
    await client.execute('rm -f -- "$CARREL_CP_PATH"', { env: { CARREL_CP_PATH: archive }, sessionId }).catch(() => {})
  }
}

const packScript = `
file=$(mktemp /tmp/.carrel-cp-XXXXXXXX) || exit
tar -cf "$file" -C "$1" . && echo "$file" && stat -c %s "$file" || { status=$?; rm -f "$file"; exit "$status"; }`

/** The same chunks; that they break off is told in words. */
async function* complete(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length
      yield chunk
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    throw new Error(`Cannot copy to the end: the connection was cut after ${bytes} bytes`, { cause })
  }
}
