import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { contentUrl } from '../api/files.ts'
import { messageOf } from '../api/request.ts'
import { Dialog } from '../design/dialog.tsx'
import { Icon } from '../design/icon.tsx'
import { IconButton } from '../design/icon-button.tsx'
import { Notice } from '../design/notice.tsx'
import { ImageView } from './image-view.tsx'
import { nameOf } from './paths.ts'
import type { EditedText } from './text-editor.tsx'
import type { OpenFile, useOpenFile } from './use-open-file.ts'

const TextEditor = lazy(async () => ({ default: (await import('./text-editor.tsx')).TextEditor }))

interface Props {
  opened: ReturnType<typeof useOpenFile>
  /** Back to the tree, on screens that have room for one of them. */
  onBack: () => void
}

/** Shows the open file and saves it. */
export function FilePane({ opened, onBack }: Props) {
  const { file } = opened
  if (file) return <OpenFilePane key={file.id} opened={opened} file={file} onBack={onBack} />
  return (
    <div className="file-pane empty">
      <p>Select a file to view or edit it. Drop files anywhere here to upload them.</p>
    </div>
  )
}

function OpenFilePane({ opened, file, onBack }: Props & { file: OpenFile }) {
  const { isDirty, setDirty, hasChanged, save } = opened
  const edited = useRef<EditedText>(null)
  const [isSaving, setSaving] = useState(false)
  const [error, setError] = useState('')
  const [conflict, setConflict] = useState(false)

  useEffect(() => {
    if (!isDirty) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [isDirty])

  const saveNow = async ({ overwrites }: { overwrites: boolean }) => {
    const text = edited.current?.current()
    if (text === undefined || isSaving) return
    setSaving(true)
    setConflict(false)
    try {
      if (!overwrites && (await hasChanged(file.path))) setConflict(true)
      else await save(file.path, text, () => edited.current?.current() === text)
      setError('')
    } catch (failure) {
      setError(messageOf(failure))
    }
    setSaving(false)
  }

  const { shown } = file
  return (
    <div className="file-pane">
      <header className="file-head">
        <IconButton icon="back" label="Back to the files" className="back" onClick={onBack} />
        <span className="file-path" title={file.path}>
          <bdi>{file.path}</bdi>
        </span>
        {isDirty && <span className="dirty" role="img" aria-label="not saved" />}
        <span className="spacer" />
        <a className="icon-link" href={contentUrl(file.path)} download={nameOf(file.path)} title="Download">
          <Icon name="download" />
          <span className="hidden-text">Download {nameOf(file.path)}</span>
        </a>
        {shown.kind === 'text' && (
          <button type="button" disabled={!isDirty || isSaving} onClick={() => void saveNow({ overwrites: false })}>
            {isSaving ? 'Saving…' : 'Save'}
          </button>
        )}
      </header>
      {error !== '' && (
        <p className="problem" role="alert">
          {error}
        </p>
      )}
      <div className="file-body">
        {shown.kind === 'loading' && <Notice title="Opening…" busy />}
        {shown.kind === 'neither' && (
          <Notice title="This file is not shown">
            <p>{shown.why}</p>
            <a className="button" href={contentUrl(file.path)} download={nameOf(file.path)}>
              Download
            </a>
          </Notice>
        )}
        {shown.kind === 'image' && <ImageView path={file.path} type={shown.type} />}
        {shown.kind === 'text' && (
          <Suspense fallback={<Notice title="Opening…" busy />}>
            <TextEditor
              ref={edited}
              path={file.path}
              text={shown.text}
              onChange={() => setDirty(true)}
              onSave={() => void saveNow({ overwrites: false })}
            />
          </Suspense>
        )}
      </div>
      {conflict && (
        <Dialog
          title={`“${nameOf(file.path)}” has changed on the computer`}
          action="Overwrite"
          dangerous
          onAgree={() => void saveNow({ overwrites: true })}
          onCancel={() => setConflict(false)}
        >
          <p>Something else wrote the file after it was opened here.</p>
        </Dialog>
      )}
    </div>
  )
}
