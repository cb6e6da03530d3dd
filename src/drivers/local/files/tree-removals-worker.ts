import { closeSync, opendirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { temporaryName } from './temporary-name.ts'
import { openBelow } from './rooted.ts'
import type { RemovalMessage, RemovalRequest } from './tree-removals.ts'
import { failureOf } from './turn-thread.ts'

parentPort?.on('message', ({ fd, name, maxMs }: RemovalRequest) => {
  let answer: RemovalMessage
  try {
    answer = { isDone: new Removal(fd, Buffer.from(name), performance.now() + maxMs).run() }
  } catch (error) {
    answer = failureOf(error)
  }
  parentPort!.postMessage(answer)
})

/**
 * Removes a tree whose owner may change it meanwhile. Each directory is opened below the descriptor of the one above,
 * never through a link, and each entry is removed by its one name, so that nothing outside can be reached. A removal
 * that has run out of time leaves a smaller tree, which the next one removes. One descriptor for each level is open: a
 * directory below the last level is first moved to the top of the tree.
 */
class Removal {
  readonly #parentFd: number
  readonly #name: Buffer
  readonly #endAtMs: number
  #topFd = -1

  constructor(parentFd: number, name: Buffer, endAtMs: number) {
    this.#parentFd = parentFd
    this.#name = name
    this.#endAtMs = endAtMs
  }

  /** Returns whether the tree is gone; false when the time has run out. */
  run(): boolean {
    return this.#remove(this.#parentFd, this.#name, 0)
  }

  /** Removes an entry of any type. What it is can change after each look. */
  #remove(fd: number, name: Buffer, level: number): boolean {
    while (performance.now() < this.#endAtMs) {
      const path = entryOf(fd, name)
      if (attempt(() => unlinkSync(path), isDirectory)) return true
      if (attempt(() => rmdirSync(path), isFullOrNoDirectory)) return true
      if (level === maxLevels) {
        // The top gets its turn again, as it is not empty now.
        if (attempt(() => renameSync(path, entryOf(this.#topFd, Buffer.from(temporaryName()))), [])) return true
      } else this.#empty(fd, name, level)
    }
    return false
  }

  /** Removes the entries of a directory, as far as there is time. */
  #empty(fd: number, name: Buffer, level: number): void {
    let directory = -1
    if (!attempt(() => (directory = openBelow(fd, name)), noDirectory) || directory === -1) return
    if (level === 0) this.#topFd = directory
    try {
      for (let names = someNames(directory); names.length > 0; names = someNames(directory))
        for (const each of names) if (!this.#remove(directory, each, level + 1)) return
    } finally {
      closeSync(directory)
    }
  }
}

/** Returns the first names in a directory; none when it is empty. The order is the file system's. */
function someNames(fd: number): Buffer[] {
  const directory = opendirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1', bufferSize: namesAtOnce })
  try {
    const names: Buffer[] = []
    for (let entry = directory.readSync(); entry && names.length < namesAtOnce; entry = directory.readSync())
      names.push(Buffer.from(entry.name, 'latin1'))
    return names
  } finally {
    directory.closeSync()
  }
}

/** Returns a path of one component below a descriptor, which no link can lead elsewhere. */
function entryOf(fd: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name])
}

/** Returns whether a step was done, or what it is for is gone; false after one of the given errors. */
function attempt(step: () => void, errors: readonly string[]): boolean {
  try {
    step()
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true
    if (errors.includes(code)) return false
    throw error
  }
}

const isDirectory = ['EISDIR']
const isFullOrNoDirectory = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR']
/** `ELOOP` is for a link, `EAGAIN` after a rename meanwhile. */
const noDirectory = ['ENOTDIR', 'ELOOP', 'EAGAIN']
/** The open descriptors of one removal are one more, and one for reading. */
const maxLevels = 32
const namesAtOnce = 1024
