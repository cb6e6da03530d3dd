import { mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { Monitor } from './monitor.ts'
import { logError } from './monitor-log.ts'
import { monitorVersion } from './version.ts'

/**
 * The monitor: one small program for each data directory, which starts the processes of all computers, stores their
 * output and observes how they end. It outlives the server, so that a restart or a crash of the server loses nothing.
 * Arguments: the socket to listen on, and a scratch directory in memory.
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
  // All computers depend on this program: a single failure, such as a write to a full disk, must not end it.
  process.on('uncaughtException', (error) => logError(error.stack ?? String(error)))
})
