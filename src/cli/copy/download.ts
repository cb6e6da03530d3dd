import { createWriteStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, posix, sep } from 'node:path'
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

/** Copies a file or folder of a sandbox to a local path, or to stdout. Returns the target and the number of bytes. */
export async function download(from: SandboxPlace, to: string | undefined, call: Download) {
  const source = await probe(call.client, from.path, from.sessionId)
  // If nothing is there, the server reports it best.
  if (source?.isFolder !== true)
    return downloadFile(from, to, { ...call, mode: source?.mode ?? 0o644, size: source?.size })
  const { program, values } = call
  if (to === undefined) {
    let bytes = 0
    for await (const chunk of packed(from, call)) {
      await program.stdout.write(chunk)
      bytes += chunk.length
    }
    return { path: '-', bytes }
  }
  const path = await targetOf(from, to)
  const progress = new Progress(program, values)
  try {
    const archive = packed(from, call, progress.isShown ? (bytes) => progress.expect(bytes) : undefined)
    await unpackTo(path, source.mode & 0o777, (folder) => unpack(folder, archive, (bytes) => progress.add(bytes)))
  } finally {
    await progress.clear()
  }
  return { path, bytes: progress.bytes }
}

/** Returns the target: inside an existing folder, else the path itself. */
async function targetOf({ path, isContent }: SandboxPlace, to: string): Promise<string> {
  const existing = await stat(to).catch(() => undefined)
  return existing?.isDirectory() && !isContent ? join(to, posix.basename(path)) : to
}

/**
 * Unpacks into a folder. A new folder appears completely or not at all; an existing folder gets its files as they
 * arrive.
 */
async function unpackTo(path: string, mode: number, work: (folder: string) => Promise<void>): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  if (existing) {
    if (!existing.isDirectory()) throw new Error(`Cannot copy a folder to "${path}": a file is there`)
    return work(path)
  }
  const parent = dirname(path)
  await mkdir(parent, { recursive: true })
  const temporary = await mkdtemp(join(parent, `.${basename(path)}.part-`))
  try {
    await work(temporary)
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
  const path = to.endsWith('/') || to.endsWith(sep) ? join(to, posix.basename(from.path)) : await targetOf(from, to)
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.part`
  try {
    const file = createWriteStream(temporary, { flags: 'wx', mode: 0o600 })
    await pipeline(progress.track(content), file)
    await chmod(temporary, mode & 0o777)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  return { path, bytes: progress.bytes }
}

/**
 * Yields a folder of the sandbox as a tar stream. `onTotal` gets the total size of its files before the first of them.
 */
async function* packed(
  { path, sessionId }: SandboxPlace,
  { client, signal }: Download,
  onTotal?: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const argv = ['bash', '-c', `${onTotal ? countScript : ''}${packScript}`, 'cp', path]
  const session = await client.exec({ argv, sessionId })
  // The rest of the stream is of no use.
  const stop = () => {
    session.signal('SIGKILL')
    return session.close()
  }
  const onAbort = () => void stop()
  signal.addEventListener('abort', onAbort)
  let message = ''
  try {
    signal.throwIfAborted()
    for await (const { channel, data } of session) {
      if (channel === 'stdout') yield data
      else if (message.length < maxMessageLength) message += new TextDecoder().decode(data)
      const [line, total] = /^total (\d+)\n/.exec(message) ?? []
      if (line === undefined) continue
      message = message.slice(line.length)
      onTotal?.(Number(total))
    }
    const { exitCode } = await session.exit
    if (exitCode === 0) return
    throw new Error(
      `Cannot pack "${path}" in the sandbox: ${message.split('\n', 1)[0] || `tar ended with ${exitCode}`}`,
    )
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', onAbort)
    await stop()
  }
}

const countScript = `
find "$1/" -type f -printf '%D:%i %s\\n' 2>/dev/null |
  awk '!seen[$1]++ { bytes += $2 } END { printf "total %.0f\\n", bytes }' >&2`

const packScript = `
exec tar --format=gnu -cf - -C "$1" .`

/** Maximum length of an error message. */
const maxMessageLength = 10_000
