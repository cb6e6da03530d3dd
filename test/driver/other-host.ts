import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { snapshotPages } from '../../src/drivers/driver-pages.ts'
import type { SnapshotFormat } from '../../src/drivers/driver.ts'
import { unmount } from '../../src/drivers/local/host/mounts.ts'
import { CarrelError } from '../../src/errors.ts'
import type { Subject } from './subject.ts'

/** What the tests of exports and imports need of another host. */
export interface OtherHost {
  formats(): Promise<readonly SnapshotFormat[]>
  exportSnapshot(snapshotId: string, formats: readonly SnapshotFormat[]): Promise<Buffer>
  importSnapshot(snapshotId: string, stream: Buffer, maxBytes: number): Promise<void>
  deleteSnapshot(snapshotId: string): Promise<void>
  snapshots(): Promise<string[]>
  /** Runs a program as root in a new computer that has the files of a snapshot. Returns its stdout. */
  runOn(snapshotId: string, argv: string[]): Promise<string>
  close(): Promise<void>
}

/** Returns a host whose driver is in this process. */
export function hostOf(subject: Subject): OtherHost {
  const { driver } = subject
  return {
    formats: async () => driver.capabilities.snapshotFormats,
    exportSnapshot: async (id, formats) => buffer(await driver.exportSnapshot(id, formats)),
    importSnapshot: (id, stream, maxBytes) =>
      driver.importSnapshot(id, Readable.from([stream], { objectMode: false }), { maxBytes }),
    deleteSnapshot: (id) => driver.deleteSnapshot(id),
    snapshots: async () => (await Array.fromAsync(snapshotPages(driver))).flat(),
    runOn: async (snapshot, argv) => {
      const computer = await subject.computer(undefined, { source: { snapshot } })
      const { stdout, stderr } = await subject.run(computer, argv, { user: 'root' })
      await driver.destroy(computer)
      if (stderr !== '') throw new Error(stderr)
      return stdout
    },
    close: async () => {
      await subject.clear()
      await driver.close()
    },
  }
}

export interface HostOptions {
  dataDirectory: string
  network: string
  /** The directory of images that exist already. */
  images: string
}

export interface HostAnswer {
  seq: number
  result?: unknown
  error?: { message: string; code: string | undefined }
}

/** Starts a host in a process of its own, as the driver of a process changes the mounts that this process sees. */
export async function startHost(options: HostOptions): Promise<OtherHost> {
  const program = fileURLToPath(new URL('fixtures/other-host.ts', import.meta.url))
  // Mounts on the way to a directory that a variable names stay.
  const env = { ...process.env, OTHER_HOST_IMAGES: options.images }
  const child = fork(program, [JSON.stringify(options)], { serialization: 'advanced', env })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let seq = 0
  child.on('message', (answer: HostAnswer) => {
    const { resolve, reject } = waiting.get(answer.seq)!
    const { error } = answer
    waiting.delete(answer.seq)
    if (!error) resolve(answer.result)
    else reject(error.code === undefined ? new Error(error.message) : Object.assign(new Error(error.message), error))
  })
  const exited = once(child, 'exit')
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('the other host has ended'))
  })
  const ask = (method: keyof OtherHost, ...args: unknown[]) => {
    const answer = Promise.withResolvers<unknown>()
    waiting.set(seq, answer)
    child.send({ seq: seq++, method, args })
    return answer.promise as Promise<never>
  }
  return {
    formats: () => ask('formats'),
    exportSnapshot: (...args) => ask('exportSnapshot', ...args),
    importSnapshot: (...args) => ask('importSnapshot', ...args),
    deleteSnapshot: (...args) => ask('deleteSnapshot', ...args),
    snapshots: () => ask('snapshots'),
    runOn: (...args) => ask('runOn', ...args),
    close: async () => {
      await ask('close')
      child.disconnect()
      await exited
    },
  }
}

export function answerOf(seq: number, error: unknown): HostAnswer {
  const { message } = error as Error
  return { seq, error: { message, code: error instanceof CarrelError ? error.code : undefined } }
}

/** Ends the helpers of a host, which would be mistaken for those of other tests, and unmounts its pool. */
export async function endHost(dataDirectory: string): Promise<void> {
  const down = fileURLToPath(new URL('../../scripts/down.js', import.meta.url))
  execFileSync(process.execPath, [down], { env: { ...process.env, CARREL_DATA: dataDirectory } })
  // The program above sees the mounts of this process, which may not be those of the machine.
  await unmount(join(dataDirectory, 'pool'))
}

/**
 * Returns a network for another host, because the host resources of all exist at the same time. Each place, from 1 to 3,
 * is far from the others and from the networks of all lanes.
 */
export function networkBeside(network: string, place = 2): string {
  const [first, second] = network.split('.').map(Number)
  return `${first}.${(second! + place * 64) % 256}`
}
