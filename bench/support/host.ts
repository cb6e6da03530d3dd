import { cpus, release, totalmem } from 'node:os'
import { spawnSync } from 'node:child_process'

/** Returns one line that describes the host of the measurements. */
export function hostLine(): string {
  const processors = cpus()
  const gib = Math.round(totalmem() / 1024 ** 3)
  return [
    `Linux ${release()}`,
    `${processors.length} cores`,
    `${gib} GiB`,
    processors[0]?.model.trim() ?? 'unknown processor',
    firstLine('crun', ['--version']) ?? firstLine('runc', ['--version']) ?? 'no runtime',
    `Node ${process.version}`,
  ].join(', ')
}

/** Returns the first line that a program prints; undefined if the program is missing or fails. */
export function firstLine(program: string, args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
  return status === 0 ? stdout.trim().split('\n')[0] : undefined
}
