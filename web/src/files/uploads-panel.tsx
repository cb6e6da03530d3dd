import { bytesText } from '../design/units.ts'
import { IconButton } from '../design/icon-button.tsx'
import { useStore } from '../store.ts'
import { nameOf } from './paths.ts'
import type { Upload, UploadQueue } from './upload-queue.ts'

const maxShown = 50

/** How far the uploads are. */
export function UploadsPanel({ queue }: { queue: UploadQueue }) {
  const uploads = useStore(queue.uploads)
  if (uploads.length === 0) return null
  const open = uploads.filter(({ state }) => state === 'waiting' || state === 'sending')
  const failed = uploads.filter(({ state }) => state === 'failed').length
  const shown = uploads.toSorted((a, b) => order[a.state] - order[b.state]).slice(0, maxShown)
  return (
    <section className="uploads" aria-label="Uploads">
      <header>
        <h2 role="status">{summary(uploads.length, open.length, failed)}</h2>
        <IconButton icon="close" label="Clear what is done" disabled={open.length > 0} onClick={() => queue.clear()} />
      </header>
      <ul>
        {shown.map((upload) => (
          <UploadLine key={upload.id} upload={upload} queue={queue} />
        ))}
      </ul>
      {uploads.length > maxShown && <p>and {uploads.length - maxShown} more</p>}
    </section>
  )
}

const order: Record<Upload['state'], number> = { failed: 0, sending: 1, waiting: 2, cancelled: 3, done: 4 }

function UploadLine({ upload, queue }: { upload: Upload; queue: UploadQueue }) {
  const { id, path, sizeBytes, sentBytes, state, error } = upload
  const isOpen = state === 'waiting' || state === 'sending'
  return (
    <li className={state}>
      <span className="upload-name" title={path}>
        {nameOf(path)}
      </span>
      <span className="upload-note" title={error}>
        {state === 'failed' ? error : state === 'cancelled' ? 'Cancelled' : bytesText(sizeBytes)}
      </span>
      {isOpen && <IconButton icon="close" label={`Cancel ${nameOf(path)}`} onClick={() => queue.cancel(id)} />}
      {(state === 'failed' || state === 'cancelled') && (
        <IconButton icon="refresh" label={`Send ${nameOf(path)} again`} onClick={() => queue.retry(id)} />
      )}
      {isOpen && <progress max={Math.max(sizeBytes, 1)} value={sentBytes} aria-label={nameOf(path)} />}
    </li>
  )
}

function summary(total: number, open: number, failed: number): string {
  if (open > 0) return `Uploading ${total - open + 1} of ${total}`
  if (failed > 0) return `${failed} of ${total} not uploaded`
  return total === 1 ? '1 file uploaded' : `${total} files uploaded`
}
