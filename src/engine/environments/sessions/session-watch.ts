import { AsyncResource } from 'node:async_hooks'
import type { SessionRow } from '../../../db/schema.ts'
import type { LiveEvent, LiveEvents } from '../../computers/live-events.ts'

/** Why a session is over: its time to live has passed, or its computer does not run any more. */
export type Over = { why: 'expired' } | { why: 'stopped'; reason: string | undefined }

interface Watched {
  expiresAtMs: number
  timer: NodeJS.Timeout
  unsubscribe: () => void
}

/** Notices when the ready sessions of this node are over, to the millisecond. */
export class SessionWatch {
  readonly #liveEvents: Pick<LiveEvents, 'subscribe'>
  readonly #onOver: (id: string, over: Over) => void
  readonly #watched = new Map<string, Watched>()

  /** @param onOver called once for each session, unless it is forgotten before; holding no lock */
  constructor(liveEvents: Pick<LiveEvents, 'subscribe'>, onOver: (id: string, over: Over) => void) {
    this.#liveEvents = liveEvents
    // A computer changes its state inside its lock, which the end of its session takes too.
    this.#onOver = AsyncResource.bind(onOver)
  }

  /** Begins to watch a session, or goes on with another time to live. */
  watch({ id, expires_at: expiresAtMs }: Pick<SessionRow, 'id' | 'expires_at'>): void {
    this.forget(id)
    this.#watched.set(id, {
      expiresAtMs,
      timer: this.#timer(id, expiresAtMs),
      unsubscribe: this.#liveEvents.subscribe(id, (event) => this.#onEvent(event)),
    })
  }

  forget(id: string): void {
    const watched = this.#watched.get(id)
    if (!watched) return
    clearTimeout(watched.timer)
    watched.unsubscribe()
    this.#watched.delete(id)
  }

  close(): void {
    for (const id of [...this.#watched.keys()]) this.forget(id)
  }

  #timer(id: string, expiresAtMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(id), Math.max(0, expiresAtMs - Date.now())).unref()
  }

  #expire(id: string): void {
    const watched = this.#watched.get(id)
    if (!watched) return
    // A timer can be early by the part of a millisecond.
    if (Date.now() < watched.expiresAtMs) watched.timer = this.#timer(id, watched.expiresAtMs)
    else this.#end(id, { why: 'expired' })
  }

  #onEvent(event: LiveEvent): void {
    if (event.type !== 'computer.state' || !ended.has(event.state)) return
    this.#end(event.computerId, { why: 'stopped', reason: event.reason })
  }

  #end(id: string, over: Over): void {
    this.forget(id)
    this.#onOver(id, over)
  }
}

const ended: ReadonlySet<string> = new Set(['stopped', 'failed', 'deleting'])
