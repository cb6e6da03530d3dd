import type { ComputerRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'

export interface Size {
  memoryBytes: number
  diskBytes: number
  /** The id of the preset with this size; null for a size of its own. */
  preset: string | null
}

const GiB = 1024 ** 3

/** Named sizes. The first one is that of a computer that is created without a size. */
export const sizePresets: readonly (Size & { preset: string; label: string })[] = [
  { preset: 'ram-2g', label: '2 GiB memory, 5 GiB storage', memoryBytes: 2 * GiB, diskBytes: 5 * GiB },
  { preset: 'ram-4g', label: '4 GiB memory, 10 GiB storage', memoryBytes: 4 * GiB, diskBytes: 10 * GiB },
  { preset: 'ram-8g', label: '8 GiB memory, 25 GiB storage', memoryBytes: 8 * GiB, diskBytes: 25 * GiB },
]

/** Bounds of a size of one's own, in bytes; both values are multiples of the step. */
export const sizeBounds = {
  memoryBytes: { min: 2 * GiB, max: 64 * GiB, step: GiB },
  diskBytes: { min: 5 * GiB, max: 250 * GiB, step: GiB },
} as const

export const customSize = 'custom'

/** What a request says about the size of a computer. */
export interface WantedSize {
  preset?: string | undefined
  memoryBytes?: number | undefined
  diskBytes?: number | undefined
}

/** Returns the size that a computer has, or had when a snapshot of it was taken. */
export function sizeOfRow(row: Pick<ComputerRow, 'memory_bytes' | 'disk_bytes' | 'size_preset'>): Size {
  return { memoryBytes: row.memory_bytes, diskBytes: row.disk_bytes, preset: row.size_preset }
}

/**
 * Returns the size that a request asks for; without any wish, that of the first preset. Throws `invalid_request` for an
 * unknown preset, for a preset together with numbers that differ from it, for one number without the other, and for
 * numbers outside of their bounds.
 */
export function sizeOf({ preset, memoryBytes, diskBytes }: WantedSize): Size {
  if (preset !== undefined && preset !== customSize) return presetOf(preset, { memoryBytes, diskBytes })
  if (memoryBytes === undefined && diskBytes === undefined && preset === undefined) return { ...sizePresets[0]! }
  if (memoryBytes === undefined || diskBytes === undefined)
    throw refused('a size of its own needs both memory and storage', memoryBytes === undefined ? 'memory' : 'storage')
  assertWithin('memory', memoryBytes, sizeBounds.memoryBytes)
  assertWithin('storage', diskBytes, sizeBounds.diskBytes)
  return { memoryBytes, diskBytes, preset: null }
}

/**
 * Returns the size of a computer that has `current` after a request: what the request leaves out stays. Throws
 * `invalid_request` as `sizeOf` does, and for a request that asks for nothing.
 */
export function changedSize(current: Size, { preset, memoryBytes, diskBytes }: WantedSize): Size {
  if (preset === undefined && memoryBytes === undefined && diskBytes === undefined)
    throw refused('it says neither a preset nor memory nor storage', 'preset')
  if (preset !== undefined && preset !== customSize) return presetOf(preset, { memoryBytes, diskBytes })
  const size = { memoryBytes: memoryBytes ?? current.memoryBytes, diskBytes: diskBytes ?? current.diskBytes }
  if (memoryBytes !== undefined) assertWithin('memory', memoryBytes, sizeBounds.memoryBytes)
  if (diskBytes !== undefined) assertWithin('storage', diskBytes, sizeBounds.diskBytes)
  const isSame = size.memoryBytes === current.memoryBytes && size.diskBytes === current.diskBytes
  return { ...size, preset: isSame ? current.preset : null }
}

function presetOf(id: string, { memoryBytes, diskBytes }: Omit<WantedSize, 'preset'>): Size {
  const found = sizePresets.find(({ preset }) => preset === id)
  const known = [...sizePresets.map(({ preset }) => preset), customSize].join(', ')
  if (!found) throw refused(`there is no size preset ${JSON.stringify(id)}; there are ${known}`, 'preset')
  if ((memoryBytes ?? found.memoryBytes) !== found.memoryBytes)
    throw refused(`preset ${id} has ${found.memoryBytes / GiB} GiB of memory; leave one of the two out`, 'memory')
  if ((diskBytes ?? found.diskBytes) !== found.diskBytes)
    throw refused(`preset ${id} has ${found.diskBytes / GiB} GiB of storage; leave one of the two out`, 'storage')
  const { memoryBytes: memory, diskBytes: disk } = found
  return { memoryBytes: memory, diskBytes: disk, preset: id }
}

function assertWithin(what: string, bytes: number, { min, max, step }: { min: number; max: number; step: number }) {
  if (bytes >= min && bytes <= max && bytes % step === 0) return
  throw refused(`${what} has to be from ${min / GiB} to ${max / GiB} GiB, in steps of ${step / GiB} GiB`, what)
}

/** @param part what is wrong, for surfaces that name their field: `preset`, `memory` or `storage` */
function refused(why: string, part: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot use this size: ${why}`, { details: { part } })
}
