import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Requests the health of a server continuously, like an uninvolved client. Runs on a thread of its own, so that delays
 * of the test itself are not attributed to the server.
 */
export class HealthProbe {
  readonly #worker: Worker

  constructor(serverUrl: string) {
    this.#worker = new Worker(new URL('health-probe-worker.ts', import.meta.url), {
      workerData: { url: `${serverUrl}/health` },
    })
  }

  /** Stops, and returns the longest, the median and the 99th percentile response time. */
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
