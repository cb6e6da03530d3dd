import { pino, type Logger } from 'pino'

/**
 * The log of the server, on stderr, which can be a file on a full disk: what does not fit waits, or is dropped when too much waits. It never
 * ends the server.
 */
export function openLog(level: string): Logger {
  const destination = pino.destination({ dest: 2, maxLength: waitingBytes })
  destination.on('error', () => {})
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return pino({ level }, destination)
}

const waitingBytes = 4 * 1024 * 1024
