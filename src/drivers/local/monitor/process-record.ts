import { existsSync, readFileSync } from 'node:fs'
import { opendir, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOutOfDescriptors } from '../../../errors.ts'
import type { ProcessState } from './protocol.ts'

/** The file with the end of a process, next to the segments of its output. */
export const exitFileName = 'exit.json'

/** Returns the path of the single file of a process with little output: its end and its output together. */
export function shortRecordPath(directory: string): string {
  return `${directory}.json`
}

export interface ProcessRecord {
  state: ProcessState
  /** All output of a short process, in base64. */
  journal?: string
}

/** Returns the record of an ended process, or undefined when there is none. */
export function readRecord(directory: string): ProcessRecord | undefined {
  for (const path of [shortRecordPath(directory), join(directory, exitFileName)]) {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as ProcessRecord
    } catch (error) {
      // The record is of the other kind, or was cut off by a crash of the host.
      if (isOutOfDescriptors(error)) throw error
    }
  }
  return undefined
}

/** Records the end of a process whose monitor did not: next to the segments of its output, if there are any. */
export async function writeRecord(directory: string, state: ProcessState): Promise<void> {
  if (existsSync(directory)) await writeFile(join(directory, exitFileName), JSON.stringify({ state }), { mode: 0o600 })
  else await writeFile(shortRecordPath(directory), JSON.stringify({ state, journal: '' }), { mode: 0o600 })
}

export async function removeRecord(directory: string): Promise<void> {
  try {
    await unlink(shortRecordPath(directory))
  } catch {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Yields the ids of all processes that have a record or output in a directory. */
export async function* recordedIds(parent: string): AsyncGenerator<string> {
  for await (const { name } of await opendir(parent)) yield name.replace(/\.json$/, '')
}
