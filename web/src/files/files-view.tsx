import { useEffect, useEffectEvent, useMemo, useState, type DragEvent } from 'react'
import { makeFolder, moveFile, removeFile, type FileEntry } from '../api/files.ts'
import { putContent } from '../api/put-content.ts'
import { messageOf } from '../api/request.ts'
import { droppedFiles, type DroppedFile } from './dropped-files.ts'
import { FilePane } from './file-pane.tsx'
import { FileTree } from './file-tree.tsx'
import { FileQuestion, type Question } from './file-question.tsx'
import { FilesToolbar } from './files-toolbar.tsx'
import { folderOf, isWithin, joinPath } from './paths.ts'
import { treeRows } from './tree-rows.ts'
import { UploadQueue } from './upload-queue.ts'
import { UploadsPanel } from './uploads-panel.tsx'
import { useFileTree } from './use-file-tree.ts'
import { useOpenFile } from './use-open-file.ts'
import './files.css'

/** The files of the computer: the tree at the side, and the open file. */
export function FilesView({ isActive }: { isActive: boolean }) {
  const tree = useFileTree()
  const opened = useOpenFile()
  const [selected, setSelected] = useState('')
  const [question, setQuestion] = useState<Question>()
  const [error, setError] = useState('')
  const [isOver, setOver] = useState(false)
  const { load, refresh } = tree
  const refreshNow = useEffectEvent(refresh)

  useEffect(() => {
    if (isActive) void refreshNow()
  }, [isActive])

  const queue = useMemo(
    () => new UploadQueue({ send: putContent, onDone: (path) => void load(folderOf(path)) }),
    [load],
  )

  const entry = tree.entryAt(selected)
  const targetFolder = entry === undefined ? '' : entry.type === 'directory' ? selected : folderOf(selected)

  /** Opens a file, or none, in place of the open one; asks first if that would lose something. */
  const leaveFor = (path: string) => {
    if (opened.isDirty) setQuestion({ kind: 'leave', path, unsaved: opened.file?.path ?? '' })
    else openInstead(path)
  }
  const openInstead = (path: string) => (path === '' ? opened.close() : void opened.open(path))

  const select = (found: FileEntry) => {
    setSelected(found.path)
    setError('')
    if (found.type === 'directory' || found.name_base64 !== undefined || found.path === opened.file?.path) return
    leaveFor(found.path)
  }

  /** Does what was asked for, reads the folders that it changed, and shows why it failed. */
  const act = async (work: () => Promise<unknown>, ...changed: string[]) => {
    setError('')
    try {
      await work()
    } catch (failure) {
      setError(messageOf(failure))
    }
    await Promise.all(changed.map((path) => load(path)))
  }

  const upload = (files: DroppedFile[]) => {
    const existing = files.filter(({ path }) => tree.entryAt(path) !== undefined).length
    if (existing > 0) setQuestion({ kind: 'replace', files, existing })
    else queue.add(files)
  }

  const drop = (folder: string, data: DataTransfer) => {
    setOver(false)
    if (folder !== '') tree.expand(folder)
    droppedFiles(data, folder)
      .then(upload)
      .catch((failure: unknown) => setError(messageOf(failure)))
  }

  const create = (kind: 'new file' | 'new folder', folder: string, name: string) => {
    const path = joinPath(folder, name)
    if (tree.entryAt(path)) return setError(`“${name}” exists already.`)
    if (folder !== '') tree.expand(folder)
    void act(async () => {
      await (kind === 'new folder' ? makeFolder(path) : putContent(path, new Blob([])))
      setSelected(path)
      if (kind === 'new file' && !opened.isDirty) await opened.open(path)
    }, folder)
  }

  const rename = (path: string, name: string) => {
    const to = joinPath(folderOf(path), name)
    if (to === path) return
    void act(async () => {
      await moveFile(path, to)
      tree.collapse(path)
      setSelected(to)
      const open = opened.file?.path
      if (open !== undefined && isWithin(open, path)) opened.moved(to + open.slice(path.length))
    }, folderOf(path))
  }

  const remove = (path: string) =>
    void act(async () => {
      await removeFile(path)
      tree.collapse(path)
      setSelected('')
      if (opened.file && isWithin(opened.file.path, path)) opened.close()
    }, folderOf(path))

  const askToDelete = (path: string) =>
    setQuestion({ kind: 'delete', path, isFolder: tree.entryAt(path)?.type === 'directory' })

  const agree = (agreed: Question, name: string) => {
    setQuestion(undefined)
    switch (agreed.kind) {
      case 'new file':
      case 'new folder':
        return create(agreed.kind, agreed.folder, name)
      case 'rename':
        return rename(agreed.path, name)
      case 'delete':
        return remove(agreed.path)
      case 'replace':
        return queue.add(agreed.files)
      case 'leave':
        return openInstead(agreed.path)
    }
  }

  const onDragOver = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    setOver(true)
  }

  return (
    <section
      className={`view files ${opened.file ? 'has-file' : ''} ${isOver ? 'drop-target' : ''}`}
      aria-label="Files"
      hidden={!isActive}
      onDragOver={onDragOver}
      onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node | null) || setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        drop(targetFolder, event.dataTransfer)
      }}
    >
      <div className="files-side">
        <FilesToolbar
          selected={entry}
          onUpload={(files) =>
            upload(files.map((content) => ({ path: joinPath(targetFolder, content.name), content })))
          }
          onNewFile={() => setQuestion({ kind: 'new file', folder: targetFolder })}
          onNewFolder={() => setQuestion({ kind: 'new folder', folder: targetFolder })}
          onRename={() => entry && setQuestion({ kind: 'rename', path: entry.path })}
          onDelete={() => entry && askToDelete(entry.path)}
          onRefresh={() => void refresh()}
        />
        {error !== '' && (
          <p className="problem" role="alert">
            {error}
          </p>
        )}
        <FileTree
          rows={treeRows(tree.folders, tree.expanded)}
          selected={selected}
          dirtyPath={opened.isDirty ? opened.file?.path : undefined}
          onSelect={select}
          onExpand={tree.expand}
          onCollapse={tree.collapse}
          onMore={(folder) => void load(folder, tree.folders.get(folder)?.cursor)}
          onRename={(path) => setQuestion({ kind: 'rename', path })}
          onDelete={askToDelete}
          onDropInto={drop}
        />
        <UploadsPanel queue={queue} />
      </div>
      <FilePane opened={opened} onBack={() => leaveFor('')} />
      {question && <FileQuestion question={question} onAgree={agree} onCancel={() => setQuestion(undefined)} />}
    </section>
  )
}
