import { mkdir, rm } from 'node:fs/promises'
import { run } from '../system/run.ts'
import type { Storage } from './storage.ts'

/** Volumes as plain directories, for a host without btrfs: no disk limit, and a copy copies every file. */
export class DirectoryStorage implements Storage {
  readonly kind = 'directory'
  readonly quota = false
  readonly instantCopy = false

  async create(path: string): Promise<void> {
    await mkdir(path)
  }

  /** Runs `cp`, which keeps owners, links, holes and attributes, and shares blocks where the file system can. */
  async copy(from: string, to: string): Promise<void> {
    await run('cp', ['-a', '--reflink=auto', '--', from, to], { timeoutMs: 3_600_000 })
  }

  async writeBack(): Promise<void> {}

  async delete(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true })
  }

  async limit(): Promise<void> {}

  async gauge(): Promise<undefined> {
    return undefined
  }

  async use(): Promise<undefined> {
    return undefined
  }
}
