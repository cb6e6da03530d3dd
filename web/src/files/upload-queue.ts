import { messageOf } from '../api/request.ts'
import { Store } from '../store.ts'

export interface Upload {
  id: number
  path: string
  sizeBytes: number
  sentBytes: number
  state: 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled'
  /** Why it failed; '' if it did not. */
  error: string
}

export type SendFile = (
  path: string,
  content: Blob,
  options: { signal: AbortSignal; onProgress: (sentBytes: number) => void },
) => Promise<void>

interface Options {
  send: SendFile
  /** Called with the path of each file that has arrived. */
  onDone: (path: string) => void
  /** How many files are sent at once. */
  lanes?: number
}

/** Files on their way to the computer, a few at a time, in the order in which they were added. */
export class UploadQueue {
  readonly uploads = new Store<readonly Upload[]>([])
  readonly #options: Required<Options>
  readonly #contents = new Map<number, Blob>()
  readonly #running = new Map<number, AbortController>()
  #nextId = 1

  constructor(options: Options) {
    this.#options = { lanes: 2, ...options }
  }

  add(files: readonly { path: string; content: Blob }[]): void {
    const added = files.map(({ path, content }): Upload => {
      const id = this.#nextId++
      this.#contents.set(id, content)
      return { id, path, sizeBytes: content.size, sentBytes: 0, state: 'waiting', error: '' }
    })
    this.uploads.set([...this.uploads.value, ...added])
    this.#sendNext()
  }

  /** Cancels one that waits or is being sent. */
  cancel(id: number): void {
    const upload = this.#find(id)
    if (upload?.state !== 'waiting' && upload?.state !== 'sending') return
    this.#change(id, { state: 'cancelled' })
    this.#running.get(id)?.abort()
  }

  /** Sends one that failed or was cancelled again, from its beginning. */
  retry(id: number): void {
    const upload = this.#find(id)
    if (upload?.state !== 'failed' && upload?.state !== 'cancelled') return
    this.#change(id, { state: 'waiting', sentBytes: 0, error: '' })
    this.#sendNext()
  }

  /** Forgets those that are over. */
  clear(): void {
    const left = this.uploads.value.filter(({ state }) => state === 'waiting' || state === 'sending')
    const ids = new Set(left.map(({ id }) => id))
    for (const id of this.#contents.keys()) if (!ids.has(id)) this.#contents.delete(id)
    this.uploads.set(left)
  }

  #sendNext(): void {
    for (const { id, state } of this.uploads.value) {
      if (this.#running.size >= this.#options.lanes) return
      // One that was cancelled and is wanted again waits for its first attempt to end.
      if (state === 'waiting' && !this.#running.has(id)) void this.#send(id)
    }
  }

  async #send(id: number): Promise<void> {
    const upload = this.#find(id)
    const content = this.#contents.get(id)
    if (!upload || !content) return
    const ended = new AbortController()
    this.#running.set(id, ended)
    this.#change(id, { state: 'sending' })
    try {
      const onProgress = (sentBytes: number) => ended.signal.aborted || this.#change(id, { sentBytes })
      await this.#options.send(upload.path, content, { signal: ended.signal, onProgress })
      this.#change(id, { state: 'done', sentBytes: upload.sizeBytes, error: '' })
      this.#options.onDone(upload.path)
    } catch (error) {
      if (!ended.signal.aborted) this.#change(id, { state: 'failed', error: messageOf(error) })
    }
    this.#running.delete(id)
    this.#sendNext()
  }

  #find(id: number): Upload | undefined {
    return this.uploads.value.find((upload) => upload.id === id)
  }

  #change(id: number, change: Partial<Upload>): void {
    this.uploads.set(this.uploads.value.map((upload) => (upload.id === id ? { ...upload, ...change } : upload)))
  }
}
