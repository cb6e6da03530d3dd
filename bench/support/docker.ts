import { execFileSync } from 'node:child_process'
import { firstLine } from './host.ts'
import { command } from './settings.ts'

const image = 'debian:stable-slim'
const container = 'carrel-bench'

/** What a Docker engine of this host does with the same command, in an image of Debian. */
export class Docker {
  private constructor() {
    docker('run', '--detach', '--name', container, image, 'sleep', '3600')
  }

  /** undefined where no engine answers. */
  static open(): Docker | undefined {
    if (!firstLine('docker', ['info', '--format', '{{.ServerVersion}}'])) return undefined
    docker('pull', '--quiet', image)
    return new Docker()
  }

  /** Milliseconds of `docker run --rm` of the command. */
  async run(): Promise<number> {
    return time('run', '--rm', image, ...command.argv)
  }

  /** Milliseconds of `docker exec` of the command. */
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
