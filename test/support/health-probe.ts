import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Asks a server again and again how it is, as somebody who has nothing to do with what goes on there; on a thread of its own, so that what the test
 * does meanwhile is not taken for the server.
 */
export class HealthProbe {
  readonly #worker: Worker

  constructor(serverUrl: string) {
    this.#worker = new Worker(new URL('health-probe-worker.ts', import.meta.url), {
      workerData: { url: `${serverUrl}/health` },
    })
  }

  /** The longest wait for an answer, the one in the middle, and the one that one in a hundred is longer than, in milliseconds. */
  async end(): Promise<{ longestMs: number; medianMs: number; p99Ms: number }> {
    this.#worker.postMessage('end')
    const [waitsMs] = (await once(this.#worker, 'message')) as [number[]]
    const sorted = waitsMs.toSorted((one, other) => one - other)
    return {
      longestMs: sorted.at(-1)!,
      medianMs: sorted[sorted.length >> 1]!,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)]!,
    }
  }
}
