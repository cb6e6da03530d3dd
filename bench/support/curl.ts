import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Seconds that curl says it took, from its first byte to the answer's last; rejects when the answer is an error. */
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

/** Seconds for many small requests with so many connections at once. */
export async function curlMany(url: string, count: number, atOnce: number, ...args: string[]): Promise<number> {
  const started = performance.now()
  const { stdout } = await run(
    'curl',
    [
      '--silent',
      '--fail',
      '--parallel',
      '--parallel-immediate',
      '--parallel-max',
      String(atOnce),
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
