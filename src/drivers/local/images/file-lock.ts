import { open, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import koffi from 'koffi'

const flock = koffi.load('libc.so.6').func('int flock(int fd, int operation)')

/** A lock among processes that lasts until it is released or its holder dies. */
export interface FileLock {
  /** Also removes the file. */
  release(): Promise<void>
}

/** Takes the lock, or gives undefined when another holds it, in this process or in another. */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const file = await open(path, 'a', 0o600)
  if (flock(file.fd, LOCK_EX | LOCK_NB) === 0 && (await isStill(file, path))) {
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

/** Takes the lock as soon as it is free, looking each quarter of a second. */
export async function lock(path: string): Promise<FileLock> {
  for (;;) {
    const held = await tryLock(path)
    if (held) return held
    await sleep(pollMs)
  }
}

/** False for a file that its last holder has removed: whoever comes next would lock another. */
async function isStill(file: FileHandle, path: string): Promise<boolean> {
  const [held, current] = await Promise.all([file.stat(), stat(path).catch(() => undefined)])
  return current?.ino === held.ino
}

const LOCK_EX = 2
const LOCK_NB = 4
const pollMs = 250
