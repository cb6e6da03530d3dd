import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ComputerSpec } from '../../driver.ts'
import type { Paths } from '../paths.ts'

/** What the driver has to remember of a computer, beside its volume. */
export interface ComputerRecord extends ComputerSpec {
  /** The image whose files lie under its own, also when it came from a snapshot. */
  image: string
  /** Its network slot while it runs. */
  slot?: number
}

/** Descriptions of computers, a file each; kept in memory too, since each exec looks one up. */
export class ComputerStore {
  readonly #paths: Paths
  readonly #records = new Map<string, ComputerRecord>()

  constructor(paths: Paths) {
    this.#paths = paths
  }

  async load(): Promise<void> {
    const directory = join(this.#paths.data, 'computers')
    await mkdir(directory, { recursive: true })
    for (const id of await readdir(directory)) {
      const text = await readFile(join(directory, id, 'computer.json'), 'utf8').catch(
        (error: NodeJS.ErrnoException) => {
          // One that cannot be read just now is no reason to remove a computer.
          if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
          return undefined
        },
      )
      if (text) this.#records.set(id, { ...(JSON.parse(text) as ComputerRecord), slot: await this.#readSlot(id) })
      else await rm(join(directory, id), { recursive: true, force: true })
    }
  }

  get(id: string): ComputerRecord | undefined {
    return this.#records.get(id)
  }

  all(): ComputerRecord[] {
    return [...this.#records.values()]
  }

  async add(record: ComputerRecord): Promise<void> {
    const directory = this.#paths.computer(record.id)
    await mkdir(directory, { recursive: true, mode: 0o711 })
    const temporary = join(directory, 'computer.json.new')
    await writeFile(temporary, JSON.stringify(record))
    await rename(temporary, join(directory, 'computer.json'))
    this.#records.set(record.id, record)
  }

  /**
   * Keeps which slot it has, as the name of an empty file: to replace a file would wait for the disk, which took 5 ms of
   * each start.
   */
  async setSlot(id: string, slot: number | undefined): Promise<void> {
    const record = this.#records.get(id)
    if (!record) return
    if (slot !== undefined) await writeFile(this.#slotFile(id, slot), '')
    else if (record.slot !== undefined) await rm(this.#slotFile(id, record.slot), { force: true })
    this.#records.set(id, { ...record, slot })
  }

  async remove(id: string): Promise<void> {
    this.#records.delete(id)
    await rm(this.#paths.computer(id), { recursive: true, force: true })
  }

  async #readSlot(id: string): Promise<number | undefined> {
    const names = await readdir(this.#paths.computer(id))
    const found = names.find((name) => name.startsWith(slotPrefix))
    return found === undefined ? undefined : Number(found.slice(slotPrefix.length))
  }

  #slotFile(id: string, slot: number): string {
    return join(this.#paths.computer(id), `${slotPrefix}${slot}`)
  }
}

const slotPrefix = 'slot-'
