import { open, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import koffi from 'koffi'

const flock = koffi.load('libc.so.6').func('int flock(int fd, int operation)')

/** A lock between processes, which is held until it is released or its holder ends. */
export interface FileLock {
  /** Releases the lock and deletes the file. */
  release(): Promise<void>
}

/** Acquires the lock. Returns undefined when it is held, in this process or in another. */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const file = await open(path, 'a', 0o600)
  if (flock(file.fd, LOCK_EX | LOCK_NB) === 0 && (await isCurrent(file, path))) {
    return {
      release: async () => {
        await rm(path, { force: true })
        await file.close()
      },
    }
  }
  await file.close()
  return undefined
}

/** Shares a lock on a file that exists, until it is released or its holder ends; undefined when it is held alone. */
export async function tryShare(path: string): Promise<{ release(): Promise<void> } | undefined> {
  return tryOpened(path, LOCK_SH)
}

/** Acquires the lock of a file that exists and is kept. Returns undefined while somebody shares or holds it. */
export async function tryOwn(path: string): Promise<{ release(): Promise<void> } | undefined> {
  return tryOpened(path, LOCK_EX)
}

async function tryOpened(path: string, operation: number): Promise<{ release(): Promise<void> } | undefined> {
  const file = await open(path, 'r')
  if (flock(file.fd, operation | LOCK_NB) === 0) return { release: () => file.close() }
  await file.close()
  return undefined
}

/** Acquires the lock as soon as it is free, polling four times a second. */
export async function lock(path: string): Promise<FileLock> {
  for (;;) {
    const held = await tryLock(path)
    if (held) return held
    await sleep(pollMs)
  }
}

/** Returns false for a file that its last holder has deleted, as the next process would lock a new one. */
async function isCurrent(file: FileHandle, path: string): Promise<boolean> {
  const [held, current] = await Promise.all([file.stat(), stat(path).catch(() => undefined)])
  return current?.ino === held.ino
}

const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4
const pollMs = 250
