import { useRef } from 'react'
import type { FileEntry } from '../api/files.ts'
import { IconButton } from '../design/icon-button.tsx'

interface Props {
  selected: FileEntry | undefined
  onUpload: (files: File[]) => void
  onNewFile: () => void
  onNewFolder: () => void
  onRename: () => void
  onDelete: () => void
  onRefresh: () => void
}

/** What can be done with the selected file or folder. */
export function FilesToolbar({ selected, onUpload, onNewFile, onNewFolder, onRename, onDelete, onRefresh }: Props) {
  const input = useRef<HTMLInputElement>(null)
  const isNamed = selected !== undefined && selected.name_base64 === undefined
  return (
    <div className="toolbar" role="toolbar" aria-label="Files">
      <IconButton icon="upload" label="Upload files" onClick={() => input.current?.click()} />
      <IconButton icon="filePlus" label="New file" onClick={onNewFile} />
      <IconButton icon="folderPlus" label="New folder" onClick={onNewFolder} />
      <span className="spacer" />
      <IconButton icon="pencil" label="Rename" disabled={!isNamed} onClick={onRename} />
      <IconButton icon="trash" label="Delete" disabled={!isNamed} onClick={onDelete} />
      <IconButton icon="refresh" label="Refresh" onClick={onRefresh} />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={({ target }) => {
          onUpload([...(target.files ?? [])])
          // The same file can be chosen again.
          target.value = ''
        }}
      />
    </div>
  )
}
