import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { firstLine } from './host.ts'

const program = 'nginx'
const pollMs = 20
const maxStartMs = 5000

interface Options {
  /** A directory for its files, including pending uploads. */
  scratch: string
  /** The content of its only `server` block. */
  server: string
  /** The origin behind `http://upstream`. */
  upstream?: string
}

/** A separate nginx, configured as usual for the same work. */
export class Nginx {
  readonly origin: string
  readonly #child: ChildProcess
  readonly #scratch: string

  private constructor(origin: string, child: ChildProcess, scratch: string) {
    this.origin = origin
    this.#child = child
    this.#scratch = scratch
  }

  static isInstalled(): boolean {
    return firstLine(program, ['-v']) !== undefined
  }

  static async start({ scratch, server, upstream }: Options): Promise<Nginx> {
    const port = await freePort()
    mkdirSync(scratch, { recursive: true })
    const file = join(scratch, 'nginx.conf')
    const upstreams = upstream ? `upstream upstream { server ${new URL(upstream).host}; keepalive 32; }` : ''
    writeFileSync(
      file,
      `user root; daemon off; worker_processes auto; pid ${scratch}/nginx.pid; error_log stderr error;
      events { worker_connections 512; }
      http {
        access_log off; sendfile on; tcp_nopush on; client_max_body_size 0; default_type application/octet-stream;
        keepalive_requests 100000;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${scratch}/${kind};`).join(' ')}
        ${upstreams}
        server { listen 127.0.0.1:${port}; ${server} }
      }`,
    )
    const child = spawn(program, ['-p', scratch, '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] })
    const nginx = new Nginx(`http://127.0.0.1:${port}`, child, scratch)
    for (let waitedMs = 0; !(await answers(port)); waitedMs += pollMs) {
      if (waitedMs > maxStartMs || child.exitCode !== null) throw new Error('Cannot start nginx: see above')
      await delay(pollMs)
    }
    return nginx
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM')
      await once(this.#child, 'exit')
    }
    rmSync(this.#scratch, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
