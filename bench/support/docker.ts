import { execFileSync } from 'node:child_process'
import { firstLine } from './host.ts'
import { command } from './settings.ts'

const image = 'debian:stable-slim'
const container = 'carrel-bench'

/** Runs the same command by the Docker engine of this host, in an image of Debian. */
export class Docker {
  private constructor() {
    docker('run', '--detach', '--name', container, image, 'sleep', '3600')
  }

  /** Returns undefined if no engine answers. */
  static open(): Docker | undefined {
    if (!firstLine('docker', ['info', '--format', '{{.ServerVersion}}'])) return undefined
    docker('pull', '--quiet', image)
    return new Docker()
  }

  /** Returns the milliseconds of `docker run --rm` of the command. */
  async run(): Promise<number> {
    return time('run', '--rm', image, ...command.argv)
  }

  /** Returns the milliseconds of `docker exec` of the command. */
  async exec(): Promise<number> {
    return time('exec', container, ...command.argv)
  }

  [Symbol.dispose](): void {
    docker('rm', '--force', container)
  }
}

function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'inherit'] })
}

function time(...args: string[]): number {
  const started = performance.now()
  const stdout = docker(...args)
  if (stdout !== command.stdout) throw new Error(`docker ${args[0]} printed ${JSON.stringify(stdout)}`)
  return performance.now() - started
}
