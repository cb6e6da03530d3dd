import { chmod, copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMounted, mountTmpfs } from '../host/mounts.ts'

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
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#directory, id), { recursive: true, force: true })
  }
}

/** Three pages for each computer, and the init. */
const maxBytes = 128 * 1024 * 1024
