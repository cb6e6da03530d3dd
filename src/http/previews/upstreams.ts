import type { Duplex } from 'node:stream'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { PreviewTarget } from './preview-name.ts'
import { Upstream } from './upstream.ts'

type DialComputer = (computerId: string, port: number, onRead: (bytes: Buffer) => void) => Promise<Duplex>

interface Idle {
  upstream: Upstream
  untilMs: number
}

/** Connections into computers, kept for the next request. */
export class Upstreams {
  readonly #dial: DialComputer
  /** By port of a computer; what was used last stands last. */
  readonly #idle = new Map<string, Idle[]>()
  /** How many there are, by computer. */
  readonly #open = new Map<string, number>()

  constructor(dial: DialComputer) {
    this.#dial = dial
    setInterval(() => this.#closeIdle(), idleMs / 4).unref()
  }

  /** The one that was used last, as the other end closes those that it has not heard of for long; undefined when there is none. */
  take({ computerId, port }: PreviewTarget): Upstream | undefined {
    const idle = this.#idle.get(keyOf(computerId, port))
    for (let kept = idle?.pop(); kept; kept = idle?.pop()) {
      if (isUsable(kept)) return kept.upstream
      kept.upstream.socket.destroy()
    }
    return undefined
  }

  /** Rejects with `no_capacity` when a computer has as many as it may: one visitor must not use up what all have. */
  async open({ computerId, port }: PreviewTarget): Promise<Upstream> {
    const open = this.#open.get(computerId) ?? 0
    if (open >= limits.previewConnections)
      throw new CarrelError('no_capacity', 'Cannot open the preview: too many requests to it are under way')
    this.#open.set(computerId, open + 1)
    try {
      const upstream = await Upstream.open((onRead) => this.#dial(computerId, port, onRead))
      upstream.socket.once('close', () => this.#closed(computerId))
      return upstream
    } catch (error) {
      this.#closed(computerId)
      throw error
    }
  }

  #closed(computerId: string): void {
    const left = this.#open.get(computerId)! - 1
    if (left > 0) this.#open.set(computerId, left)
    else this.#open.delete(computerId)
  }

  /** Keeps one on which nothing is under way, for a minute at most. */
  keep({ computerId, port }: PreviewTarget, upstream: Upstream, forMs: number): void {
    const key = keyOf(computerId, port)
    let idle = this.#idle.get(key)
    if (!idle) this.#idle.set(key, (idle = []))
    if (idle.length >= mostIdle || upstream.socket.destroyed) upstream.socket.destroy()
    else idle.push({ upstream, untilMs: performance.now() + Math.min(forMs, idleMs) })
  }

  #closeIdle(): void {
    for (const [key, idle] of this.#idle) {
      const left = idle.filter(isUsable)
      for (const kept of idle) if (!left.includes(kept)) kept.upstream.socket.destroy()
      if (left.length > 0) this.#idle.set(key, left)
      else this.#idle.delete(key)
    }
  }
}

function isUsable({ upstream: { socket }, untilMs }: Idle): boolean {
  return !socket.destroyed && socket.writable && performance.now() < untilMs
}

function keyOf(computerId: string, port: number): string {
  return `${computerId}:${port}`
}

/** For each port of a computer: as many as a browser and a load test open at once. */
const mostIdle = 64
const idleMs = 60_000
