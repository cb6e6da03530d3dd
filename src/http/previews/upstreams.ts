import type { Duplex } from 'node:stream'
import type { DescriptorBudget, Shares } from '../../engine/budgets/descriptor-budget.ts'
import type { AccessiblePort } from '../../engine/computers/ports/find-exposed.ts'
import type { PreviewTarget } from './preview-name.ts'
import { Upstream } from './upstream.ts'

type DialPort = (
  port: AccessiblePort,
  options: { onRead: (bytes: Buffer) => void; signal: AbortSignal },
) => Promise<Duplex>

interface KeepOptions {
  /** How long the other end keeps the connection open. */
  forMs: number
  holders: Shares
}

interface Idle {
  upstream: Upstream
  untilMs: number
}

/**
 * Connections into computers, kept for the next request. Connections in use are counted with their requests, idle ones
 * here.
 */
export class Upstreams {
  readonly #dial: DialPort
  readonly #budget: DescriptorBudget
  /** By computer and port; the most recently used connection is last. */
  readonly #idle = new Map<string, Idle[]>()

  constructor(dial: DialPort, budget: DescriptorBudget) {
    this.#dial = dial
    this.#budget = budget
    setInterval(() => this.#closeIdle(), idleMs / 4).unref()
  }

  /**
   * Takes the most recently used connection, as the other end closes those that have been silent for long. Returns
   * undefined when there is none.
   */
  take({ computerId, port }: PreviewTarget): Upstream | undefined {
    const idle = this.#idle.get(keyOf(computerId, port))
    for (let kept = idle?.pop(); kept; kept = idle?.pop()) {
      kept.upstream.kept?.release()
      if (isUsable(kept)) return kept.upstream
      kept.upstream.socket.destroy()
    }
    return undefined
  }

  /** Opens a new connection, and gives it up when `signal` aborts. */
  open(port: AccessiblePort, signal: AbortSignal): Promise<Upstream> {
    return Upstream.open((onRead) => this.#dial(port, { onRead, signal }))
  }

  /** Keeps an unused connection for at most a minute if its holders' budgets have room for it; closes it otherwise. */
  keep({ computerId, port }: PreviewTarget, upstream: Upstream, { forMs, holders }: KeepOptions): void {
    const key = keyOf(computerId, port)
    let idle = this.#idle.get(key)
    if (!idle) this.#idle.set(key, (idle = []))
    const mayStay = idle.length < maxIdle && !upstream.socket.destroyed
    const lease = mayStay ? this.#budget.tryTake(holders) : undefined
    if (!lease) return void upstream.socket.destroy()
    upstream.kept = lease
    idle.push({ upstream, untilMs: performance.now() + Math.min(forMs, idleMs) })
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

/** Per port of a computer: as many as a browser and a load test open at once. */
const maxIdle = 64
const idleMs = 60_000
