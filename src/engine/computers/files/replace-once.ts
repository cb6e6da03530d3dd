import { isUtf8 } from 'node:buffer'
import { limits } from '../../../config/limits.ts'
import type { ComputerFiles, OpenFile } from '../../../drivers/driver.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import type { Slices } from '../../../slices.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { occurrences } from './occurrences.ts'

export interface Replaced {
  isReplaced: boolean
  /** What was done, or why nothing was. */
  message: string
}

interface Replacement {
  path: string
  /** Not empty. */
  find: string
  replace: string
}

/**
 * Replaces a text in a file if it is there exactly once, atomically. The file keeps its owner and its mode; a link stays,
 * and what it leads to is changed. Whatever is wrong with the file is in the message.
 */
export function replaceOnce(
  { driver, locks }: Pick<Context, 'driver' | 'locks'>,
  { id }: AccessibleComputer<'files'>,
  replacement: Replacement,
  slices: Slices,
): Promise<Replaced> {
  return locks.files(id, async () => {
    try {
      return await replaceIn(driver.files(id), replacement, slices)
    } catch (error) {
      const { code, message } = asCarrelError(error)
      if (ofTheFile.has(code)) return { isReplaced: false, message }
      throw error
    }
  })
}

const ofTheFile: ReadonlySet<string> = new Set(['not_found', 'invalid_request', 'conflict', 'too_large', 'disk_full'])

async function replaceIn(
  files: ComputerFiles,
  { path, find, replace }: Replacement,
  slices: Slices,
): Promise<Replaced> {
  const file = await files.open(path)
  try {
    const contents = await textOf(file, path)
    const wanted = Buffer.from(find)
    const at = await occurrences(contents, wanted, slices)
    if (at.length !== 1) return { isReplaced: false, message: countMessage(path, contents, at) }
    const start = at[0]!
    const changed = Buffer.concat([
      contents.subarray(0, start),
      Buffer.from(replace),
      contents.subarray(start + wanted.length),
    ])
    const { sizeBytes, modifiedAtMs } = await files.stat(path)
    if (sizeBytes !== file.info.sizeBytes || modifiedAtMs !== file.info.modifiedAtMs)
      throw new CarrelError('conflict', `Cannot change ${quote(path)}: a program has changed it meanwhile`)
    await files.write(path, changed, { maxBytes: changed.length })
    return { isReplaced: true, message: `Replaced the text in ${quote(path)}, line ${lineAt(contents, start)}` }
  } finally {
    file.close()
  }
}

async function textOf(file: OpenFile, path: string): Promise<Buffer> {
  const { sizeBytes } = file.info
  if (sizeBytes > limits.patchBytes)
    throw new CarrelError(
      'too_large',
      `Cannot change ${quote(path)}: it has ${sizeBytes} bytes, and the limit is ${limits.patchBytes}`,
    )
  const bytes = Buffer.allocUnsafe(sizeBytes)
  let length = 0
  while (length < sizeBytes) {
    const read = await file.read(bytes.subarray(length), length)
    if (read === 0) break
    length += read
  }
  const contents = bytes.subarray(0, length)
  if (isUtf8(contents)) return contents
  throw new CarrelError('invalid_request', `Cannot change ${quote(path)}: it is a binary file, not UTF-8 text`)
}

function countMessage(path: string, contents: Buffer, at: number[]): string {
  const doing = `Cannot replace the text in ${quote(path)}`
  if (at.length === 0) return `${doing}: it occurs 0 times`
  const shown = linesAt(contents, at.slice(0, maxLines))
  const more = at.length > maxLines ? ', …' : ''
  return `${doing}: it occurs ${at.length} times, on lines ${shown.join(', ')}${more}; add what is around it until it occurs once`
}

/** Returns the numbers of the lines at these places, which ascend. */
function linesAt(contents: Buffer, places: number[]): number[] {
  const lines: number[] = []
  let [line, from] = [1, 0]
  for (const place of places) {
    line += lineAt(contents.subarray(from, place), place - from) - 1
    from = place
    lines.push(line)
  }
  return lines
}

/** Returns the number of the line at a place; the first line is 1. */
function lineAt(contents: Buffer, place: number): number {
  let line = 1
  for (let at = contents.indexOf(lineEnd); at >= 0 && at < place; at = contents.indexOf(lineEnd, at + 1)) line++
  return line
}

function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
}

const lineEnd = 10
const maxLines = 20
