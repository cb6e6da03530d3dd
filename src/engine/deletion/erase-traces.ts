import { setTimeout as wait } from 'node:timers/promises'
import { truncateWal } from '../../db/truncate-wal.ts'
import type { Context } from '../context.ts'

/** Sees that the files of the database hold nothing of what was deleted. Another program that reads them is given some seconds. */
export async function eraseTraces({ db, log, server }: Pick<Context, 'db' | 'log' | 'server'>): Promise<void> {
  for (let attempt = 0; attempt < attempts && !server.stopping.aborted; attempt++) {
    if (await truncateWal(db)) return
    await wait(everyMs)
  }
  log.warn(
    'traces of what was deleted stay in the log of the database (carrel.db-wal) until the next start: it is in use',
  )
}

const attempts = 100
const everyMs = 100
