import { chmod, link, lstat, lutimes, mkdir, open, symlink, unlink, utimes } from 'node:fs/promises'
import { isLocalName } from './local-file.ts'
import { readTar } from '../../tar/read-tar.ts'

/**
 * Unpacks a tar stream of a sandbox, which may be hostile, into a local folder. Throws for an entry outside of the
 * folder. Drops set-user-id bits, and creates links last, so that nothing is written through a link. `onBytes` gets the
 * number of content bytes as they arrive.
 */
export async function unpack(
  folder: string,
  archive: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => Promise<void>,
): Promise<void> {
  const target = new Target(folder)
  const links: { path: Buffer; to: Buffer; mtime: Date }[] = []
  const folders: { path: Buffer; mode: number; mtime: Date }[] = []
  for await (const { type, path, target: to = Buffer.alloc(0), mode, mtime, content } of readTar(archive)) {
    const parts = target.parts(path)
    // The folder itself belongs to the caller.
    if (parts.length === 0) continue
    if (type === 'SymbolicLink') links.push({ path, to, mtime })
    else if (type === 'Directory') {
      await target.makeFolder(parts)
      if (target.hasMade(parts)) folders.push({ path: target.bytes(parts), mode: mode & 0o777, mtime })
    } else if (type === 'Link') await link(await target.existingFile(to), await target.place(parts))
    else await writeFile(await target.place(parts), mode & 0o777, mtime, content, onBytes)
  }
  for (const { path, to, mtime } of links) {
    const place = await target.place(target.parts(path))
    await symlink(to, place)
    await lutimes(place, mtime, mtime)
  }
  // Modes and times of folders are set last, from the inside out, as they prevent writing or change with it.
  for (const { path, mode, mtime } of folders.toReversed()) {
    await chmod(path, mode)
    await utimes(path, mtime, mtime)
  }
}

async function writeFile(
  path: Buffer,
  mode: number,
  mtime: Date,
  content: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => Promise<void>,
): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of content) {
      await file.writeFile(chunk)
      await onBytes(chunk.length)
    }
    await file.chmod(mode)
    await file.utimes(mtime, mtime)
  } catch (error) {
    // An existing folder stays when the copy ends early; a part of a file does not.
    await unlink(path)
    throw error
  } finally {
    await file.close()
  }
}

/** The folder to unpack into. Paths in it are made of parts, as bytes. */
class Target {
  readonly #folder: string
  /** Paths known to be folders and not links. */
  readonly #folders = new Set<string>()
  readonly #made = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Returns the parts of a path, with one character for each byte. Throws if the path leads outside. */
  parts(path: Buffer): string[] {
    const text = path.toString('latin1')
    const parts = text.split('/').filter((part) => part !== '' && part !== '.')
    if (text.startsWith('/') || parts.includes('..') || text.includes('\0')) throw this.#outside(text)
    for (const part of parts)
      if (!isLocalName(Buffer.from(part, 'latin1').toString()))
        throw new Error(`Cannot unpack "${shown(text)}": no file can have this name on Windows`)
    return parts
  }

  /** Returns the full path. */
  bytes(parts: string[]): Buffer {
    return Buffer.concat([Buffer.from(this.#folder), Buffer.from(['', ...parts].join('/'), 'latin1')])
  }

  /** Returns whether a folder was created here. */
  hasMade(parts: string[]): boolean {
    return this.#made.has(parts.join('/'))
  }

  /** Creates a folder and its parents unless they exist. */
  async makeFolder(parts: string[]): Promise<void> {
    const key = parts.join('/')
    if (parts.length === 0 || this.#folders.has(key)) return
    await this.makeFolder(parts.slice(0, -1))
    const path = this.bytes(parts)
    const existing = await lstat(path).catch(() => undefined)
    if (existing?.isSymbolicLink()) throw this.#outside(key)
    if (!existing?.isDirectory()) {
      await mkdir(path, 0o700)
      this.#made.add(key)
    }
    this.#folders.add(key)
  }

  /** Returns the path of a new entry, after creating its parents and removing what was there. */
  async place(parts: string[]): Promise<Buffer> {
    await this.makeFolder(parts.slice(0, -1))
    const path = this.bytes(parts)
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    return path
  }

  /** Returns the path of a file that was unpacked before, for a second name of it. */
  async existingFile(path: Buffer): Promise<Buffer> {
    const parts = this.parts(path)
    for (let depth = 1; depth < parts.length; depth++) {
      if (!this.#folders.has(parts.slice(0, depth).join('/'))) throw this.#outside(parts.join('/'))
    }
    const full = this.bytes(parts)
    if (!(await lstat(full)).isFile()) throw this.#outside(parts.join('/'))
    return full
  }

  #outside(name: string): Error {
    return new Error(`Cannot unpack "${shown(name)}": it would be outside "${this.#folder}"`)
  }
}

/** Returns a name, which has one character for each byte, as text. */
function shown(name: string): string {
  return Buffer.from(name, 'latin1').toString()
}
