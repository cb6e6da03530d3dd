import type { ProcessHandle } from '../engine/types.ts'

/** Yields the lines that a server logs, cut where they are too long. Ends when the server has ended. */
export async function* logLines(process: ProcessHandle): AsyncGenerator<string> {
  let rest = ''
  for await (const { records } of process.follow(0)) {
    for (const { stream, data } of records) {
      if (stream !== 'stderr') continue
      const lines = (rest + data.toString('utf8')).split('\n')
      rest = lines.pop()!.slice(-maxLength)
      yield* lines
    }
  }
}

const maxLength = 4096
