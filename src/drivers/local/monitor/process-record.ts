import { existsSync, readFileSync } from 'node:fs'
import { readdir, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOutOfDescriptors } from '../../../errors.ts'
import type { ProcessState } from './protocol.ts'

/** How a process ended, in its directory beside the segments of its output. */
export const exitFileName = 'exit.json'

/** The one file of a process whose output was small: its end and its output together. */
export function shortRecordPath(directory: string): string {
  return `${directory}.json`
}

export interface ProcessRecord {
  state: ProcessState
  /** All output, base64, of a short process. */
  journal?: string
}

/** What was recorded of an ended process; undefined when nothing was. */
export function readRecord(directory: string): ProcessRecord | undefined {
  for (const path of [shortRecordPath(directory), join(directory, exitFileName)]) {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as ProcessRecord
    } catch (error) {
      // Else it is not this kind, or cut off by a crash of the host.
      if (isOutOfDescriptors(error)) throw error
    }
  }
  return undefined
}

/** Puts the end of a process on disk whose monitor did not: beside the segments of its output, where it has any. */
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

/** Ids of all processes of which anything is kept under a directory. */
export async function listRecords(parent: string): Promise<string[]> {
  const names = await readdir(parent)
  return [...new Set(names.map((name) => name.replace(/\.json$/, '')))]
}
