import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** Asks a server again and again how it is, as somebody who has nothing to do with what goes on there. */
export class HealthProbe {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #waitsMs: number[] = []
  readonly #asking: Promise<void>
  #isOver = false

  constructor(serverUrl: string) {
    this.#url = `${serverUrl}/health`
    this.#asking = this.#ask()
  }

  /** The longest wait, and that of every second, in milliseconds. */
  async end(): Promise<{ longestMs: number; medianMs: number; count: number }> {
    this.#isOver = true
    await this.#asking
    this.#agent.destroy()
    const sorted = this.#waitsMs.toSorted((one, other) => one - other)
    return { longestMs: sorted.at(-1)!, medianMs: sorted[sorted.length >> 1]!, count: sorted.length }
  }

  async #ask(): Promise<void> {
    do {
      const began = performance.now()
      await new Promise<void>((resolve, reject) => {
        request(this.#url, { agent: this.#agent }, (response) => response.resume().on('end', resolve))
          .on('error', reject)
          .end()
      })
      this.#waitsMs.push(performance.now() - began)
      await delay(5)
    } while (!this.#isOver)
  }
}
