import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Statement } from '../fair-reader.ts'
import type { WorkerAnswer } from './reader-thread.ts'

const database = new DatabaseSync(workerData as string, { readOnly: true, timeout: 5000 })
database.exec('PRAGMA cache_size=-16000')
const prepared = new Map<string, StatementSync>()

parentPort?.on('message', (statements: readonly Statement[]) => {
  parentPort?.postMessage(answerTo(statements))
})

/** Runs the statements in one transaction, so that all rows are as of one time. */
function answerTo(statements: readonly Statement[]): WorkerAnswer {
  try {
    database.exec('begin')
    return { rows: statements.map(({ sql, parameters }) => prepare(sql).all(...(parameters as SQLInputValue[]))) }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    return { failure: { message, code } }
  } finally {
    if (database.isTransaction) database.exec('commit')
  }
}

function prepare(sql: string): StatementSync {
  const cached = prepared.get(sql)
  if (cached) return cached
  const statement = database.prepare(sql)
  if (prepared.size >= maxPrepared) prepared.delete(prepared.keys().next().value!)
  prepared.set(sql, statement)
  return statement
}

const maxPrepared = 64
