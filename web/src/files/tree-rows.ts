import type { FileEntry } from '../api/files.ts'

export interface Folder {
  entries: readonly FileEntry[]
  /** Where the next page of a large folder begins. */
  cursor?: string | undefined
  isLoading: boolean
  error: string
}

/** One visible line of the tree: a file or folder, or what a folder says of itself. */
export type TreeRow =
  | { kind: 'entry'; entry: FileEntry; depth: number; isExpanded: boolean }
  | { kind: 'more' | 'loading' | 'error' | 'empty'; folder: string; depth: number; text: string }

/** Returns the visible lines below a folder, in the order in which they are shown: folders before files. */
export function treeRows(folders: ReadonlyMap<string, Folder>, expanded: ReadonlySet<string>, at = '', depth = 0) {
  const rows: TreeRow[] = []
  const folder = folders.get(at)
  if (!folder) return rows
  for (const entry of folder.entries.toSorted(byKindAndName)) {
    const isExpanded = entry.type === 'directory' && expanded.has(entry.path)
    rows.push({ kind: 'entry', entry, depth, isExpanded })
    if (isExpanded) rows.push(...treeRows(folders, expanded, entry.path, depth + 1))
  }
  const line = (kind: 'more' | 'loading' | 'error' | 'empty', text: string) =>
    rows.push({ kind, folder: at, depth, text })
  if (folder.error !== '') line('error', folder.error)
  else if (folder.isLoading && folder.entries.length === 0) line('loading', 'Loading…')
  else if (folder.cursor !== undefined) line('more', folder.isLoading ? 'Loading…' : 'Show more')
  else if (folder.entries.length === 0) line('empty', at === '' ? 'The workspace is empty' : 'Empty')
  return rows
}

const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

function byKindAndName(a: FileEntry, b: FileEntry): number {
  if (a.type !== b.type) return a.type === 'directory' ? -1 : 1
  return names.compare(a.name, b.name)
}
