import type { TestContext } from 'node:test'
import type { FileChange } from '../../src/drivers/driver.ts'
import { until } from '../support/server.ts'
import { settles } from '../support/settles.ts'
import { type Subject } from './subject.ts'

/** Watches a new directory of a computer; resolves when changes are reported. */
export async function watchNew(
  t: TestContext,
  subject: Subject,
  computerId: string,
  { directory, recursive }: { directory: string; recursive: boolean },
): Promise<FileChange[]> {
  const shell = (code: string) => subject.shell(computerId, code)
  await shell(`mkdir -p ${directory}`)
  const controller = new AbortController()
  const changes: FileChange[] = []
  const options = { recursive, signal: controller.signal }
  const reading = (async () => {
    for await (const change of subject.driver.files(computerId).watch(directory, options)) changes.push(change)
  })()
  t.after(async () => {
    controller.abort()
    await settles(reading, 'the end of the watch')
  })
  let tries = 0
  await until(
    async () => shell(`echo > ${directory}/.probe-${++tries}`),
    () => changes.some(({ path }) => path.includes('.probe')),
  )
  await shell(`rm ${directory}/.probe*`)
  await until(
    () => changes.filter(({ type }) => type === 'delete').length,
    (count) => count >= changes.filter(({ type }) => type === 'create').length,
  )
  changes.length = 0
  return changes
}

export function watchInBackground(watched: AsyncIterable<FileChange>): { changes: FileChange[] } {
  const changes: FileChange[] = []
  void (async () => {
    for await (const change of watched) changes.push(change)
  })()
  return { changes }
}

/** Resolves when a change with these fields has been reported. */
export function has(changes: FileChange[], wanted: Partial<FileChange>): Promise<FileChange[]> {
  const isWanted = (change: FileChange) =>
    Object.entries(wanted).every(([key, value]) => change[key as keyof FileChange] === value)
  return until(
    () => changes,
    () => changes.some(isWanted),
    5000,
  )
}

export function creates(changes: FileChange[]): string[] {
  return changes.flatMap(({ type, path }) => (type === 'create' ? [path] : []))
}
