import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Interrupted } from './interrupted.ts'
import { UsageError } from './usage-error.ts'

/**
 * Asks the person at the terminal, on stderr. What they type is not shown where it is `secret`. Rejects with `Interrupted` at Ctrl-C, with
 * a `UsageError` at Ctrl-D.
 */
export async function ask(question: string, { secret = false } = {}): Promise<string> {
  // A terminal in between that shows nothing still lets them edit what they type.
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
