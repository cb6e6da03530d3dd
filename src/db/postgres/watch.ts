import { Client } from 'pg'
import { limits } from '../../config/limits.ts'
import type { DatabaseWatch, FailureListener } from '../database-watch.ts'
import { connectionFailureOf, readOnly, unanswered } from './failures.ts'

/**
 * Asks a database every second, over a connection of its own, whether it answers and takes changes. Where PostgreSQL or
 * the network has stopped, nothing else tells that soon.
 */
export class Watch implements DatabaseWatch {
  readonly #url: string
  readonly #timer: NodeJS.Timeout
  readonly #listeners: FailureListener[] = []
  #client: Client | undefined
  #isAsking = false
  /** Ticks of the timer since the question. Ticks, and not time, as a server that was itself blocked has not waited. */
  #ticks = 0
  #failure: Error | undefined
  #isClosed = false

  constructor(url: string) {
    this.#url = url
    this.#timer = setInterval(() => this.#tick(), limits.databasePingMs).unref()
  }

  onChange(listener: FailureListener): void {
    this.#listeners.push(listener)
    if (this.#failure) listener(this.#failure, { isSilent: this.#isSilent })
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#drop()
  }

  get #isSilent(): boolean {
    return this.#ticks >= limits.databaseSilentPings
  }

  #tick(): void {
    if (!this.#isAsking) void this.#ask()
    // The question fails with its connection.
    else if (++this.#ticks === limits.databaseSilentPings) this.#drop()
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    this.#ticks = 0
    try {
      const client = await this.#connect()
      const { rows } = await client.query<{ value: string }>(`select current_setting('transaction_read_only') as value`)
      this.#report(rows[0]!.value === 'on' ? readOnly() : undefined)
    } catch (error) {
      this.#drop()
      this.#report(this.#isSilent ? unanswered() : connectionFailureOf(error))
    } finally {
      this.#isAsking = false
    }
  }

  async #connect(): Promise<Client> {
    if (this.#client) return this.#client
    this.#client = new Client({ connectionString: this.#url, application_name: 'carrel', keepAlive: true })
    this.#client.on('error', () => {})
    await this.#client.connect()
    return this.#client
  }

  #drop(): void {
    this.#client?.connection.stream.destroy()
    this.#client = undefined
  }

  #report(failure: Error | undefined): void {
    if (this.#isClosed || failure?.message === this.#failure?.message) return
    this.#failure = failure
    for (const listener of this.#listeners) listener(failure, { isSilent: this.#isSilent })
  }
}
