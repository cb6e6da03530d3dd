import { quote } from '../../files/computer-path.ts'
import type { LocalComputers } from '../computers/local-computers.ts'
import type { Searches } from '../search/searches.ts'
import type { DiskGuard } from '../storage/disk-guard.ts'
import { toHostId } from '../system/id-map.ts'
import { LocalComputerFiles } from './computer-files.ts'

interface Options {
  computers: Pick<LocalComputers, 'root'>
  guard: Pick<DiskGuard, 'assertSpace' | 'filesHeadroomBytes'>
  searches: Searches
}

/** The files of computers, opened at first use. */
export class FilesByComputer {
  readonly #options: Options
  readonly #files = new Map<string, LocalComputerFiles>()

  constructor(options: Options) {
    this.#options = options
  }

  get(id: string): LocalComputerFiles {
    const existing = this.#files.get(id)
    if (existing) return existing
    const { computers, guard, searches } = this.#options
    const owner = { uid: toHostId(defaultUserId), gid: toHostId(defaultUserId) }
    const assertSpace = (path: string) => guard.assertSpace(`write ${quote(path)}`, guard.filesHeadroomBytes)
    const files = new LocalComputerFiles({ id, root: () => computers.root(id), owner, assertSpace, searches })
    this.#files.set(id, files)
    return files
  }

  /** Forgets the files of a computer that is removed. */
  forget(id: string): void {
    this.#files.delete(id)
  }

  /** Ends the watches on the files of a computer that is about to get others. */
  renew(id: string): void {
    this.#files.get(id)?.close()
    this.#files.delete(id)
  }

  closeAll(): void {
    for (const files of this.#files.values()) files.close()
    this.#files.clear()
  }
}

/** The ordinary user of Carrel's images. */
const defaultUserId = 1000
