import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Database, ProcessRow } from '../../../db/schema.ts'
import type { Driver, ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import type { DatabaseHealth } from '../../database-health.ts'
import type { ThisNode } from '../../nodes/this-node.ts'
import type { ProcessMeta } from './process-meta.ts'

interface Parts {
  db: Kysely<Database>
  node: Pick<ThisNode, 'id'>
  driver: Driver
  log: Logger
  /** Receives whether the database accepts rows. */
  health: Pick<DatabaseHealth, 'report'>
  /** Called with each ended process once its row is in the database. */
  onEnded?: (row: ProcessFacts) => void
}

/**
 * Writes the rows of processes, many in one transaction: a short process costs the database one row, at its end, and
 * its caller does not wait for the row. The driver keeps what is not recorded yet, so that a crash in between loses
 * nothing.
 */
export class ProcessRecorder {
  readonly #db: Kysely<Database>
  readonly #nodeId: string
  readonly #driver: Driver
  readonly #log: Logger
  readonly #health: Pick<DatabaseHealth, 'report'>
  readonly #onEnded: (row: ProcessFacts) => void
  readonly #queue = new Map<string, ProcessFacts>()
  #flushing: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #hasFailed = false

  constructor({ db, node, driver, log, health, onEnded = () => {} }: Parts) {
    this.#db = db
    this.#nodeId = node.id
    this.#driver = driver
    this.#log = log
    this.#health = health
    this.#onEnded = onEnded
  }

  /** Records that a process runs, or its end when it has ended already. Resolves when the row is in the database. */
  async started(process: ProcessHandle): Promise<void> {
    this.#queue.set(process.processId, rowOf(process, process.exit))
    await this.flush()
  }

  /** Records the end of a process soon, with other rows. */
  ended(process: ProcessHandle, exit: ProcessExit): void {
    this.#queue.set(process.processId, rowOf(process, exit))
    void this.#writeAfter(flushDelayMs)
  }

  /** Returns the row of a process that still has to be written; undefined when there is none. */
  pending(processId: string): ProcessFacts | undefined {
    return this.#queue.get(processId)
  }

  async flush(): Promise<void> {
    await this.#flushing
    if (this.#queue.size > 0) await this.#writeAfter(0)
  }

  /** Writes what is queued after a delay, or with the write that is due already. */
  #writeAfter(delayMs: number): Promise<void> {
    return (this.#flushing ??= this.#run(delayMs))
  }

  async #run(delayMs: number): Promise<void> {
    if (delayMs > 0) await delayed(delayMs)
    const isWritten = await this.#write()
    this.#flushing = undefined
    if (this.#queue.size === 0) return
    if (isWritten) void this.#writeAfter(0)
    else this.#writeLater()
  }

  #writeLater(): void {
    if (this.#retry) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.#writeAfter(0)
    }, retryDelayMs).unref()
  }

  /** Returns whether everything that was queued is in the database. */
  async #write(): Promise<boolean> {
    const rows = [...this.#queue.values()]
    try {
      for (let start = 0; start < rows.length; start += rowsPerStatement)
        await this.#upsert(rows.slice(start, start + rowsPerStatement))
      this.#health.report('records')
      this.#hasFailed = false
      for (const row of rows) {
        if (this.#queue.get(row.id) === row) this.#queue.delete(row.id)
        if (row.state !== 'ended') continue
        this.#driver.release(row.id)
        this.#onEnded(row)
      }
      return true
    } catch (error) {
      this.#health.report('records', error)
      if (!this.#hasFailed)
        this.#log.error({ err: error, rows: rows.length }, 'cannot record processes; will try again')
      this.#hasFailed = true
      return false
    }
  }

  async #upsert(rows: ProcessFacts[]): Promise<void> {
    await this.#db
      .insertInto('processes')
      .values(rows.map((row) => ({ ...row, node_id: this.#nodeId })))
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          reason: eb.ref('excluded.reason'),
          exit_code: eb.ref('excluded.exit_code'),
          signal: eb.ref('excluded.signal'),
          output_bytes: eb.ref('excluded.output_bytes'),
          truncated: eb.ref('excluded.truncated'),
          kept_bytes: eb.ref('excluded.kept_bytes'),
          ended_at: eb.ref('excluded.ended_at'),
        })),
      )
      .execute()
  }
}

/** What is known of a process wherever it ran. */
export type ProcessFacts = Omit<ProcessRow, 'node_id'>

/** Returns the facts of a process, as it runs or, with `exit`, as it ended. */
export function rowOf(process: ProcessHandle, exit?: ProcessExit): ProcessFacts {
  const meta = process.meta as Partial<ProcessMeta>
  return {
    id: process.processId,
    account_id: meta.accountId ?? '',
    computer_id: process.computerId,
    name: meta.name ?? process.processId,
    kind: meta.kind ?? 'exec',
    command: meta.command ?? '',
    state: exit ? 'ended' : 'running',
    pid: process.pid,
    reason: exit?.reason ?? null,
    exit_code: exit?.exitCode ?? null,
    signal: exit?.signal ?? null,
    output_bytes: exit?.outputBytes ?? 0,
    truncated: exit?.truncated ? 1 : 0,
    kept_bytes: exit?.keptBytes ?? null,
    started_at: process.startedAtMs,
    ended_at: exit?.endedAtMs ?? null,
  }
}

function delayed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const flushDelayMs = 20
const retryDelayMs = 1000
/** SQLite accepts 32,766 variables in a statement. */
const rowsPerStatement = 500
