import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Interrupted } from './interrupted.ts'
import { UsageError } from './usage-error.ts'

/**
 * Asks the user at the terminal, on stderr, and hides the answer if it is `secret`. Rejects with `Interrupted` on
 * Ctrl-C and with a `UsageError` on Ctrl-D.
 */
export async function ask(question: string, { secret = false } = {}): Promise<string> {
  // An output that discards everything hides the answer but keeps line editing.
  const output = secret ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  const given = new AbortController()
  lines.once('close', () => given.abort())
  let isInterrupted = false
  lines.once('SIGINT', () => {
    isInterrupted = true
    lines.close()
  })
  try {
    if (secret) process.stderr.write(question)
    return (await lines.question(secret ? '' : question, { signal: given.signal })).trim()
  } catch (error) {
    if (isInterrupted) throw new Interrupted('It was interrupted', { cause: error })
    if (given.signal.aborted) throw new UsageError('Nothing was typed')
    throw error
  } finally {
    lines.close()
    if (secret) process.stderr.write('\n')
  }
}
