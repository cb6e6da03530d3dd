import { useRef, type DragEvent, type KeyboardEvent } from 'react'
import type { FileEntry } from '../api/files.ts'
import { Icon } from '../design/icon.tsx'
import { folderOf } from './paths.ts'
import type { TreeRow } from './tree-rows.ts'

interface Props {
  rows: TreeRow[]
  /** The path of the selected file or folder. */
  selected: string
  dirtyPath: string | undefined
  onSelect: (entry: FileEntry) => void
  onExpand: (path: string) => void
  onCollapse: (path: string) => void
  onMore: (folder: string) => void
  onRename: (path: string) => void
  onDelete: (path: string) => void
  onDropInto: (folder: string, data: DataTransfer) => void
}

/** The tree of files. Arrow keys walk it, Enter opens, F2 renames, Delete deletes. */
export function FileTree(props: Props) {
  const { rows, selected, dirtyPath, onSelect, onExpand, onCollapse, onMore, onDropInto } = props
  const tree = useRef<HTMLUListElement>(null)
  const entries = rows.flatMap((row) => (row.kind === 'entry' ? [row] : []))
  const focusable = entries.some(({ entry }) => entry.path === selected) ? selected : entries[0]?.entry.path

  const focusRow = (row: { entry: FileEntry } | undefined) => {
    if (row) tree.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(row.entry.path)}"]`)?.focus()
  }

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const path = (event.target as HTMLElement).dataset['path']
    const at = entries.findIndex(({ entry }) => entry.path === path)
    const row = entries[at]
    if (!row) return
    const handled = keyActions(props, { row, entries, at, focusRow })[event.key]
    if (!handled) return
    event.preventDefault()
    handled()
  }

  const onDrop = (event: DragEvent, folder: string) => {
    event.preventDefault()
    event.stopPropagation()
    onDropInto(folder, event.dataTransfer)
  }

  return (
    <ul className="tree" role="tree" aria-label="Files" ref={tree} onKeyDown={onKeyDown}>
      {rows.map((row) => {
        const indent = { paddingInlineStart: `${0.6 + row.depth * 0.9}rem` }
        if (row.kind !== 'entry')
          return (
            <li key={`${row.kind} ${row.folder}`} role="none" className={`tree-line ${row.kind}`} style={indent}>
              {row.kind === 'more' ? (
                <button type="button" className="link" onClick={() => onMore(row.folder)}>
                  {row.text}
                </button>
              ) : (
                row.text
              )}
            </li>
          )
        const { entry, depth, isExpanded } = row
        const isFolder = entry.type === 'directory'
        return (
          <li
            key={entry.path}
            role="treeitem"
            className={`tree-row ${isFolder ? 'folder' : ''}`}
            style={indent}
            data-path={entry.path}
            aria-level={depth + 1}
            aria-selected={entry.path === selected}
            aria-expanded={isFolder ? isExpanded : undefined}
            aria-disabled={entry.name_base64 !== undefined || undefined}
            tabIndex={entry.path === focusable ? 0 : -1}
            title={titleOf(entry)}
            onClick={() => {
              onSelect(entry)
              if (isFolder) (isExpanded ? onCollapse : onExpand)(entry.path)
            }}
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => onDrop(event, isFolder ? entry.path : folderOf(entry.path))}
          >
            <span className="chevron">{isFolder && <Icon name="chevron" />}</span>
            <Icon name={isFolder ? 'folder' : 'file'} />
            <span className="tree-name">{entry.name}</span>
            {entry.path === dirtyPath && <span className="dirty" role="img" aria-label="not saved" />}
          </li>
        )
      })}
    </ul>
  )
}

type EntryRow = Extract<TreeRow, { kind: 'entry' }>

interface Place {
  row: EntryRow
  entries: EntryRow[]
  at: number
  focusRow: (row: EntryRow | undefined) => void
}

function keyActions(props: Props, { row, entries, at, focusRow }: Place): Record<string, () => void> {
  const { entry, isExpanded } = row
  const isFolder = entry.type === 'directory'
  const activate = () => {
    props.onSelect(entry)
    if (isFolder) (isExpanded ? props.onCollapse : props.onExpand)(entry.path)
  }
  const left = () => {
    if (isFolder && isExpanded) props.onCollapse(entry.path)
    else focusRow(entries.find((each) => each.entry.path === folderOf(entry.path)))
  }
  const right = () => {
    if (isFolder && !isExpanded) props.onExpand(entry.path)
    else if (isFolder) focusRow(entries[at + 1])
  }
  return {
    ArrowDown: () => focusRow(entries[at + 1]),
    ArrowUp: () => focusRow(entries[at - 1]),
    Home: () => focusRow(entries[0]),
    End: () => focusRow(entries.at(-1)),
    ArrowLeft: left,
    ArrowRight: right,
    Enter: activate,
    ' ': activate,
    F2: () => props.onRename(entry.path),
    Delete: () => props.onDelete(entry.path),
  }
}

function titleOf({ name, target, name_base64: bytes }: FileEntry): string {
  if (bytes !== undefined) return `${name} (its name is not UTF-8: use the terminal)`
  return target === undefined ? name : `${name} → ${target}`
}
