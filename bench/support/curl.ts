import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Returns the seconds that curl reports, from its first byte to the last of the answer. Rejects if the answer is an
 * error.
 */
export async function curl(...args: string[]): Promise<number> {
  const { stdout } = await run('curl', [
    '--silent',
    '--show-error',
    '--fail',
    '--output',
    '/dev/null',
    '--write-out',
    '%{time_total}\n',
    ...args,
  ])
  return Number(stdout)
}

/** Returns the seconds of many small requests over a number of concurrent connections. */
export async function curlMany(url: string, count: number, concurrency: number, ...args: string[]): Promise<number> {
  const started = performance.now()
  const { stdout } = await run(
    'curl',
    [
      '--silent',
      '--fail',
      '--parallel',
      '--parallel-immediate',
      '--parallel-max',
      String(concurrency),
      '--write-out',
      '%{http_code}\n',
      '--output',
      '/dev/null',
      `${url}?[1-${count}]`,
      ...args,
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  )
  const took = (performance.now() - started) / 1000
  const good = stdout.match(/^200$/gm)?.length ?? 0
  if (good !== count) throw new Error(`${count - good} of ${count} requests to ${url} failed`)
  return took
}
