import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { FakeServer } from '../../../sdk/testing/fake-server.ts'

export const mainPath = fileURLToPath(new URL('../main.ts', import.meta.url))

export interface CliResult {
  exitCode: number | null
  stdout: string
  bytes: Buffer
  stderr: string
}

export interface CliOptions {
  /** The server to use, with its token. */
  server?: FakeServer
  env?: Record<string, string>
  /** Content of stdin; default: nothing. */
  input?: string | Uint8Array
  name?: 'carrel' | 'ppod'
}

/** A separate home folder, so that no test sees the login of another. */
export class CliHome {
  readonly path = mkdtempSync(join(tmpdir(), 'carrel-cli-'))

  /** Returns the environment of a new user. */
  env({ server, env, name }: CliOptions = {}): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.path,
      // All tests share the compiled code.
      XDG_CACHE_HOME: join(tmpdir(), 'carrel-cli-test-cache'),
      CARREL_DATA: join(this.path, 'data'),
      TZ: 'UTC',
      ...(name ? { CARREL_CLI_NAME: name } : {}),
      ...(server ? { CARREL_URL: server.url, CARREL_TOKEN: server.token } : {}),
      ...env,
    }
  }

  /** Starts the real program as a process of its own. */
  spawn(args: string[], options: CliOptions = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [mainPath, ...args], { env: this.env(options), cwd: this.path })
  }

  async run(args: string[], options: CliOptions = {}): Promise<CliResult> {
    const child = this.spawn(args, options)
    child.stdin.on('error', () => {}).end(options.input ?? '')
    return resultOf(child)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export async function resultOf(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  const [bytes, stderr, [exitCode]] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { exitCode, stdout: bytes.toString(), bytes, stderr }
}
