import type { Snapshot } from '../../../sdk/index.ts'
import { shortSize } from '../sizes.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'

/** Returns a line for each snapshot; with `isLong` also the image, the pause and why one failed. */
export function snapshotTable(snapshots: readonly Snapshot[], isLong: boolean, width?: number): string {
  const shown = isLong ? [...columns, ...longColumns] : columns
  return table(
    shown.map(({ cell: _, ...column }) => column),
    snapshots.map((snapshot) => shown.map(({ cell }) => cell(snapshot))),
    isLong ? undefined : width,
  )
}

const right = { align: 'right' as const }
const columns = [
  { title: 'ID', cell: ({ id }: Snapshot) => id },
  // A deleted computer has its last handle here, so that its snapshots can still be told apart.
  {
    title: 'COMPUTER',
    shrinksTo: 12,
    cell: ({ computer_handle, computer_id }: Snapshot) => computer_handle ?? computer_id,
  },
  { title: 'STATE', cell: ({ state }: Snapshot) => state },
  { title: 'KIND', dropOrder: 2, cell: ({ kind }: Snapshot) => kind },
  { title: 'SIZE', ...right, dropOrder: 4, cell: ({ size_bytes: bytes }: Snapshot) => sizeOrNone(bytes) },
  { title: 'ADDED', ...right, dropOrder: 1, cell: ({ added_bytes: bytes }: Snapshot) => sizeOrNone(bytes) },
  { title: 'CREATED', dropOrder: 3, cell: ({ created_at: time }: Snapshot) => shortTime(time) },
]

const longColumns = [
  { title: 'PAUSE', ...right, cell: ({ paused_ms: ms }: Snapshot) => (ms === null ? '-' : `${ms.toFixed(1)} ms`) },
  { title: 'IMAGE', cell: ({ image_id: image }: Snapshot) => image },
  { title: 'REASON', cell: ({ failure_reason: reason }: Snapshot) => reason ?? '' },
]

function sizeOrNone(bytes: number | null): string {
  return bytes === null ? '-' : shortSize(bytes)
}
