import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { ComputerSpec } from '../../driver.ts'
import { SortedIds } from '../../sorted-ids.ts'
import type { Paths } from '../paths.ts'

/** What the driver stores about a computer, besides its volume. */
export interface ComputerRecord extends ComputerSpec {
  /** The image that the computer's files lie over, also when it was created from a snapshot. */
  image: string
  /** Number of its network slot while it runs. */
  slot?: number
}

/** Stores the record of each computer in a file, and keeps all of them in memory, since each exec looks one up. */
export class ComputerStore {
  readonly #paths: Paths
  readonly #records = new Map<string, ComputerRecord>()
  readonly #ids = new SortedIds()

  constructor(paths: Paths) {
    this.#paths = paths
  }

  async load(): Promise<void> {
    const directory = join(this.#paths.data, 'computers')
    await mkdir(directory, { recursive: true })
    for (const id of await readdir(directory)) {
      const text = await readFile(join(directory, id, 'computer.json'), 'utf8').catch(
        (error: NodeJS.ErrnoException) => {
          // A computer must not be removed because its record cannot be read at the moment.
          if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
          return undefined
        },
      )
      if (text) this.#keep({ ...(JSON.parse(text) as ComputerRecord), id, slot: await this.#readSlot(id) })
      else await rm(join(directory, id), { recursive: true, force: true })
    }
  }

  get(id: string): ComputerRecord | undefined {
    return this.#records.get(id)
  }

  /** Throws `not_found` when the computer does not exist. */
  require(id: string): ComputerRecord {
    const record = this.#records.get(id)
    if (!record) throw new CarrelError('not_found', `Cannot find computer "${id}": it does not exist`)
    return record
  }

  all(): ComputerRecord[] {
    return [...this.#records.values()]
  }

  /** Returns up to `limit` ids in the order of their bytes, after another one or from the first on. */
  idsAfter(after: string | undefined, limit: number): string[] {
    return this.#ids.after(after, limit)
  }

  async add(record: ComputerRecord): Promise<void> {
    await this.#write(record)
    this.#keep(record)
  }

  /** Replaces the record of a computer; its slot stays as it is. */
  async replace(record: ComputerRecord): Promise<void> {
    const { slot } = this.require(record.id)
    await this.#write({ ...record, slot })
    this.#records.set(record.id, { ...record, slot: this.require(record.id).slot })
  }

  async #write({ slot: _, ...record }: ComputerRecord): Promise<void> {
    const directory = this.#paths.computer(record.id)
    await mkdir(directory, { recursive: true, mode: 0o711 })
    const temporary = join(directory, 'computer.json.new')
    await writeFile(temporary, JSON.stringify(record))
    await rename(temporary, join(directory, 'computer.json'))
  }

  /**
   * Stores the slot of a computer as the name of an empty file: replacing a file waits for the disk, which took 5 ms of
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
    this.#ids.delete(id)
    await rm(this.#paths.computer(id), { recursive: true, force: true })
  }

  #keep(record: ComputerRecord): void {
    this.#records.set(record.id, record)
    this.#ids.add(record.id)
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
