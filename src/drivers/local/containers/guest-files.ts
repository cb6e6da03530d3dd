import { randomUUID } from 'node:crypto'
import { chmod, chown, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { ShownFiles } from '../../driver.ts'
import { isMounted, mountTmpfs } from '../host/mounts.ts'
import { idMap } from '../system/id-map.ts'

/**
 * Small files that are mounted in computers. They are in a separate file system in memory, since the list of mounts
 * inside shows a file's path in its file system, and the device of that. Like other mounts, it outlives the server.
 */
export class GuestFiles {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async open(directory: string): Promise<GuestFiles> {
    await mkdir(directory, { recursive: true })
    if (!isMounted(directory)) await mountTmpfs(directory, `size=${maxBytes},mode=711`)
    return new GuestFiles(directory)
  }

  /** The init of computers. Running computers keep the one that they have. */
  get init(): string {
    return join(this.#directory, 'init')
  }
  get resolvConf(): string {
    return join(this.#directory, 'resolv.conf')
  }
  disk(id: string): string {
    return join(this.#directory, id, 'disk')
  }
  hosts(id: string): string {
    return join(this.#directory, id, 'hosts')
  }
  hostname(id: string): string {
    return join(this.#directory, id, 'hostname')
  }

  /** The directory of the files that `show` writes. */
  shown(id: string): string {
    return join(this.#directory, id, 'shown')
  }

  async setInit(program: string): Promise<void> {
    const next = `${this.init}.next`
    await copyFile(program, next)
    await chmod(next, 0o755)
    await rename(next, this.init)
  }

  /** Overwrites the file in place, so that running computers see the change. */
  async setResolvers(addresses: string[]): Promise<void> {
    await writeFile(this.resolvConf, addresses.map((address) => `nameserver ${address}\n`).join(''), { mode: 0o644 })
  }

  async add(id: string): Promise<void> {
    await mkdir(join(this.#directory, id), { recursive: true, mode: 0o711 })
    await mkdir(this.shown(id), { recursive: true, mode: 0o755 })
    await chown(this.shown(id), idMap.firstHostId, idMap.firstHostId)
  }

  /**
   * Shows files to a running computer, which belong to its root. Throws `conflict` when it has no directory for them, which was
   * mounted with its start.
   */
  async show(id: string, files: ShownFiles): Promise<void> {
    try {
      await Promise.all(Object.entries(files).map(([name, file]) => this.#showFile(join(this.shown(id), name), file)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new CarrelError(
        'conflict',
        `Cannot use computer "${id}" for this: it was started by an earlier version; restart it`,
      )
    }
  }

  async #showFile(path: string, { content, mode }: ShownFiles[string]): Promise<void> {
    const present = await readFile(path, 'utf8').catch(() => undefined)
    if (present === content) return
    const next = `${path}.${randomUUID()}`
    await writeFile(next, content, { mode })
    await chown(next, idMap.firstHostId, idMap.firstHostId)
    await rename(next, path)
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#directory, id), { recursive: true, force: true })
  }
}

/** Three pages for each computer, up to fifty for one that is reached by SSH, and the init. */
const maxBytes = 256 * 1024 * 1024
