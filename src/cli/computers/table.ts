import type { Computer } from '../../../sdk/index.ts'
import { shortSize } from '../sizes.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'

/** Returns a line for each computer; with `isLong` also the image, the id and the name for people. */
export function computerTable(computers: readonly Computer[], isLong: boolean, width?: number): string {
  const shown = isLong ? [...columns, ...longColumns] : columns
  return table(
    shown.map(({ cell: _, ...column }) => column),
    computers.map((computer) => shown.map(({ cell }) => cell(computer))),
    isLong ? undefined : width,
  )
}

/** Returns computers in the order of their creation, and those of one moment by their handles. */
export function byCreation(computers: readonly Computer[]): Computer[] {
  const time = ({ created_at: text }: Computer) => Date.parse(text)
  return computers.toSorted((a, b) => time(a) - time(b) || (a.handle < b.handle ? -1 : 1))
}

const columns = [
  { title: 'HANDLE', shrinksTo: 20, cell: ({ handle }: Computer) => handle },
  { title: 'STATE', cell: ({ state }: Computer) => state },
  {
    title: 'MEMORY',
    align: 'right' as const,
    dropOrder: 3,
    cell: ({ requested_memory_mib: mib }: Computer) => shortSize(mib * 1024 ** 2),
  },
  {
    title: 'STORAGE',
    align: 'right' as const,
    dropOrder: 2,
    cell: ({ requested_storage_bytes: bytes }: Computer) => shortSize(bytes),
  },
  { title: 'CREATED', dropOrder: 1, cell: ({ created_at: time }: Computer) => shortTime(time) },
]

const longColumns = [
  { title: 'IMAGE', cell: ({ image_id: image }: Computer) => image },
  { title: 'ID', cell: ({ id }: Computer) => id },
  { title: 'NAME', cell: ({ display_name: name }: Computer) => name },
]
