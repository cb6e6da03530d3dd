import { createReadStream } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join, posix, resolve } from 'node:path'
import { create } from 'tar'
import type { Carrel } from '../../../sdk/index.ts'
import { Progress } from '../progress.ts'
import type { Program } from '../program.ts'
import type { Values } from '../verb.ts'
import { probe } from './probe.ts'
import { meansContent, type SandboxPlace } from './place.ts'

interface Upload {
  program: Program
  values: Values
  client: Carrel
  to: SandboxPlace
  signal: AbortSignal
}

const chunkBytes = 256 * 1024

/** Copies a local file or folder into a sandbox; the answer is where it went, and its bytes. */
export async function upload(from: string, { to, ...rest }: Upload): Promise<{ path: string; bytes: number }> {
  const source = await stat(from)
  const existing = await probe(rest.client, to.path, to.sessionId)
  const isInside = existing?.isFolder ?? to.wantsFolder
  const name = basename(resolve(from))
  const path = isInside && !meansContent(from) ? posix.join(to.path, name) : to.path
  const target = { ...to, path }
  const bytes = source.isDirectory()
    ? await uploadFolder(from, source.mode & 0o777, { ...rest, to: target })
    : await uploadFile(from, source.mode & 0o777, source.size, { ...rest, to: target })
  return { path, bytes }
}

async function uploadFile(from: string, mode: number, size: number, { program, values, client, to, signal }: Upload) {
  const { path, sessionId } = to
  const progress = new Progress(program, values, size)
  const content = progress.track(createReadStream(from, { highWaterMark: chunkBytes }))
  await client.files.write(path, content, { mode, sessionId, originalName: basename(from), signal })
  return progress.bytes
}

/** As a tar stream through the input of a tar in the sandbox: modes, times, links and empty folders stay what they are. */
async function uploadFolder(from: string, mode: number, { program, values, client, to, signal }: Upload) {
  const { path, sessionId } = to
  const session = await client.exec({
    argv: ['bash', '-c', unpackScript, 'cp', path, mode.toString(8)],
    stdin: true,
    sessionId,
    signal,
  })
  const result = session.result()
  // Whoever waits for the result below tells its failure.
  result.catch(() => {})
  const progress = new Progress(program, values, await folderBytes(from))
  const content = create({ cwd: resolve(from), strict: true }, ['.']) as AsyncIterable<Buffer>
  try {
    for await (const chunk of progress.track(content)) if (!(await session.write(chunk))) break
  } finally {
    // Also when a local file cannot be read: the tar in the sandbox ends with its input.
    session.end()
  }
  const { exitCode, stderr } = await result
  if (exitCode === 0) return progress.bytes
  throw new Error(`Cannot unpack "${path}" in the sandbox: ${firstLine(stderr) || `tar ended with ${exitCode}`}`)
}

/** A folder that is there keeps its own mode and time. */
const unpackScript = `
[ -d "$1" ] || { mkdir -p -- "$1" && chmod -- "$2" "$1"; } || exit
exec tar -xpf - --no-same-owner --no-overwrite-dir -C "$1"`

/** Of the files in a folder, with what tar adds to each. */
async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  let bytes = 0
  for (const entry of entries) {
    const { size } = entry.isFile() ? await lstat(join(entry.parentPath, entry.name)) : { size: 0 }
    bytes += 512 + Math.ceil(size / 512) * 512
  }
  return bytes
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
