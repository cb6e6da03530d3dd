import { pino, type Logger } from 'pino'
import { LogDestination } from './log-destination.ts'

/**
 * Returns the log of the server, on stderr. Neither a full disk nor a pipe that nobody reads ends the server or keeps
 * it from ending.
 */
export function openLog(level: string): Logger {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return pino({ level }, new LogDestination(2, maxWaitingBytes))
}

const maxWaitingBytes = 4 * 1024 * 1024
