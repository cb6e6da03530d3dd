import { chmod, link, lstat, lutimes, mkdir, open, symlink, unlink, utimes } from 'node:fs/promises'
import { readTar } from './read-tar.ts'

/**
 * Unpacks a tar stream of a sandbox, whose owner may be hostile, into a local folder. An entry that would land outside
 * of it is an error; set-user-id bits are dropped; links are made last, so that nothing is written through one. `onBytes`
 * is told of the content of files as it comes.
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
    // The folder itself is the caller's.
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
  // Last, and from the inside out: what may not be written any more, and what writing would change.
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
  } finally {
    await file.close()
  }
}

/** The folder that is unpacked into. Paths in it are made of their parts, as bytes. */
class Target {
  readonly #folder: string
  /** Known to be folders, and no links. */
  readonly #folders = new Set<string>()
  readonly #made = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The names on the way to an entry, each as one character for a byte. */
  parts(path: Buffer): string[] {
    const text = path.toString('latin1')
    const parts = text.split('/').filter((part) => part !== '' && part !== '.')
    if (text.startsWith('/') || parts.includes('..') || text.includes('\0')) throw this.#outside(text)
    return parts
  }

  /** The whole path. */
  bytes(parts: string[]): Buffer {
    return Buffer.concat([Buffer.from(this.#folder), Buffer.from(['', ...parts].join('/'), 'latin1')])
  }

  /** Whether a folder was not there before. */
  hasMade(parts: string[]): boolean {
    return this.#made.has(parts.join('/'))
  }

  /** The folder is there after it, with those above. */
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

  /** Where a new entry goes: the folders above are there, and nothing stands there any more. */
  async place(parts: string[]): Promise<Buffer> {
    await this.makeFolder(parts.slice(0, -1))
    const path = this.bytes(parts)
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    return path
  }

  /** A file that came before, for a second name of it. */
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
    const shown = Buffer.from(name, 'latin1').toString()
    return new Error(`Cannot unpack "${shown}": it would be outside of "${this.#folder}"`)
  }
}
