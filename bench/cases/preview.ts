import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { BenchCase } from '../support/case.ts'
import { curl, curlMany } from '../support/curl.ts'
import { interleave } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { Nginx } from '../support/nginx.ts'
import { BenchServer } from '../support/server.ts'
import { benchData } from '../support/settings.ts'

const mebibytes = 256
const requests = 2000
const concurrency = 16
const port = 8080
/** V8 compiles the proxy within some twenty thousand requests; nginx is compiled in advance. */
const warmUpRounds = 10

/**
 * Returns the program behind both proxies: `/large` has a large answer, everything else a small one. It prints its
 * port.
 */
function backend(listenPort: number): string {
  return `const http = require('node:http'), { Readable } = require('node:stream'), chunk = Buffer.alloc(65536)
    const large = function* () { for (let left = ${mebibytes} * 16; left > 0; left--) yield chunk }
    http.createServer({ keepAliveTimeout: 60000 }, (request, response) => {
      if (request.url.startsWith('/large')) Readable.from(large()).pipe(response)
      else response.end('hello')
    }).listen(${listenPort}, '127.0.0.1', function () { console.log(this.address().port) })`
}

/** A server in a computer behind its preview name, compared with the same program on the host behind nginx. */
export const preview: BenchCase = {
  name: 'preview',
  about: `preview proxy: ${mebibytes} MiB, and ${requests} small requests by ${concurrency} connections`,
  async run({ quick }) {
    if (!Nginx.isInstalled()) return [{ work: 'preview proxy', why: 'nginx is not installed' }]
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0' })
    const url = await servePreview(server)
    const upstream = spawn(process.execPath, ['-e', backend(0)], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [announced] = (await once(upstream.stdout, 'data')) as [Buffer]
      await using nginx = await Nginx.start({
        scratch: join(benchData, 'bench-nginx'),
        upstream: `http://127.0.0.1:${announced.toString().trim()}`,
        server: `location / { proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection ""; }`,
      })
      const host = ['--header', `host: ${url.host}`]
      const rounds = quick ? 2 : 9
      const large = await interleave(
        {
          carrel: async () => mebibytes / (await curl(...host, new URL('/large', server.url).href)),
          nginx: async () => mebibytes / (await curl(`${nginx.origin}/large`)),
        },
        { rounds, warmUp: 1 },
      )
      const small = await interleave(
        {
          carrel: async () =>
            requests / (await curlMany(new URL('/', server.url).href, requests, concurrency, ...host)),
          nginx: async () => requests / (await curlMany(`${nginx.origin}/`, requests, concurrency)),
        },
        { rounds: quick ? 2 : 15, warmUp: quick ? 1 : warmUpRounds },
      )
      return [
        { work: `preview, ${mebibytes} MiB`, unit: 'MiB/s' as const, ...large },
        { work: `preview, small answers, ${concurrency} at once`, unit: '1/s' as const, ...small },
      ].map(({ work, unit, carrel, nginx: values }) => ({
        work,
        unit,
        carrel,
        against: { name: 'nginx', values },
        result: ratio(carrel, values),
        goal: { is: 'at least' as const, value: 0.6, of: 'of nginx' },
      }))
    } finally {
      upstream.kill('SIGTERM')
    }
  },
}

/** Starts the backend in a computer and opens its preview. */
async function servePreview(server: BenchServer): Promise<URL> {
  const session = server.newSession()
  const source = Buffer.from(backend(port)).toString('base64')
  await server.shell(
    `echo ${source} | base64 -d > /tmp/backend.cjs
     setsid node /tmp/backend.cjs > /dev/null 2>&1 &
     until curl --silent --output /dev/null http://127.0.0.1:${port}/; do sleep 0.05; done`,
    session,
  )
  const { text } = await server.request('POST', '/expose', { port, sessionId: session })
  return new URL((JSON.parse(text) as { url: string }).url)
}
