import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, posix, resolve, sep } from 'node:path'
import type { Carrel } from '../../../sdk/index.ts'
import { endProgram } from '../exec-signals.ts'
import { Progress } from '../progress.ts'
import type { Program } from '../program.ts'
import type { Values } from '../verb.ts'
import { localMode } from './local-file.ts'
import { folderBytes, pack } from './pack.ts'
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

/** Copies a local file or folder into a sandbox. Returns the target and the number of bytes. */
export async function upload(from: string, { to, ...rest }: Upload): Promise<{ path: string; bytes: number }> {
  const source = await stat(from)
  const existing = await probe(rest.client, to.path, to.sessionId)
  const isInside = existing?.isFolder ?? to.wantsFolder
  const name = basename(resolve(from))
  const path = isInside && !meansContent(from.replaceAll(sep, '/')) ? posix.join(to.path, name) : to.path
  const target = { ...to, path }
  const bytes = source.isDirectory()
    ? await uploadFolder(from, localMode(source), { ...rest, to: target })
    : await uploadFile(from, localMode(source), source.size, { ...rest, to: target })
  return { path, bytes }
}

async function uploadFile(from: string, mode: number, size: number, { program, values, client, to, signal }: Upload) {
  const { path, sessionId } = to
  const progress = new Progress(program, values, size)
  const content = progress.track(createReadStream(from, { highWaterMark: chunkBytes }))
  await client.files.write(path, content, { mode, sessionId, originalName: basename(from), signal })
  return progress.bytes
}

/** Uploads a folder as a tar stream to a tar in the sandbox, which keeps modes, times, links and empty folders. */
async function uploadFolder(from: string, mode: number, { program, values, client, to, signal }: Upload) {
  const { path, sessionId } = to
  const progress = new Progress(program, values)
  if (progress.isShown) progress.expect(await folderBytes(from))
  const argv = ['bash', '-c', unpackScript, 'cp', path, posix.dirname(path), mode.toString(8)]
  const session = await client.exec({ argv, stdin: true, sessionId })
  const result = session.result()
  // A failure is reported where the result is awaited below.
  result.catch(() => {})
  // The signal makes the program remove what it has created.
  const stop = () => void endProgram(session, 'SIGTERM')
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    for await (const chunk of combined(pack(from, (bytes) => progress.add(bytes))))
      if (!(await session.write(chunk))) break
    signal.throwIfAborted()
    session.end()
    const { exitCode, stderr } = await result
    signal.throwIfAborted()
    if (exitCode === 0) return progress.bytes
    throw new Error(
      `Cannot unpack "${path}" in the sandbox: ${stderr.split('\n', 1)[0] || `tar ended with ${exitCode}`}`,
    )
  } catch (error) {
    await endProgram(session, 'SIGTERM')
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await progress.clear()
  }
}

/**
 * An existing folder keeps its mode and time, and loses the file that tar was writing when it is stopped, which is the
 * last one that it has named. A new folder gets its name when it is complete.
 */
const unpackScript = `
if [ -d "$1" ]; then
  names=$(mktemp) || exit 1
  trap 'rm -f -- "$names"' EXIT
  stop() {
    wait "$tar"
    printf -v last %b "$(tail -n 1 -- "$names")"
    [ -f "$1/$last" ] && [ ! -L "$1/$last" ] && rm -f -- "$1/$last"
    exit 143
  }
  trap 'stop "$1"' TERM HUP
  tar -xvpf - --quoting-style=escape --no-same-owner --no-overwrite-dir -C "$1" <&0 >"$names" &
  tar=$!
  wait "$tar"
  exit
fi
if [ -e "$1" ]; then echo "a file is there" >&2; exit 1; fi
part=$2/.carrel-cp-$$-$RANDOM
trap 'rm -rf -- "$part"' EXIT
trap 'exit 143' TERM HUP
mkdir -p -- "$2" && mkdir -m 700 -- "$part" && tar -xpf - --no-same-owner -C "$part" &&
  chmod -- "$3" "$part" && mv -T -- "$part" "$1"`

/** Combines small chunks into fewer large ones. */
async function* combined(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    waiting.push(chunk)
    bytes += chunk.length
    if (bytes < combinedBytes) continue
    yield Buffer.concat(waiting)
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(waiting)
}

const combinedBytes = 64 * 1024
