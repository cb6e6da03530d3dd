import { mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { Monitor } from './monitor.ts'
import { complain } from './monitor-log.ts'
import { monitorVersion } from './version.ts'

/**
 * The monitor: one small program for a data directory that starts the processes of all computers, keeps their output
 * and learns how they end. It outlives the server, so that a restart or a crash of the server loses nothing.
 * Arguments: the socket to listen on, a scratch directory in memory.
 */
const [socketPath, scratchDirectory] = process.argv.slice(2)
if (!socketPath || !scratchDirectory) throw new Error('usage: main.ts <socket> <scratch directory>')
process.title = `carrel-monitor ${dirname(socketPath)}`
process.on('SIGHUP', () => {})
process.on('SIGINT', () => {})
rmSync(scratchDirectory, { recursive: true, force: true })
mkdirSync(scratchDirectory, { recursive: true, mode: 0o700 })
rmSync(socketPath, { force: true })
const monitor = new Monitor(scratchDirectory, monitorVersion())
createServer((socket) => monitor.connect(socket)).listen(socketPath, () => {
  // Every computer's life hangs on this program: a failure of one thing, such as of a write to a full disk, is never the end of it.
  process.on('uncaughtException', (error) => complain(error.stack ?? String(error)))
})
