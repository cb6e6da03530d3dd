import { fileURLToPath } from 'node:url'
import { defineConfig, type ProxyOptions } from 'vite'

/** The page of a running server, for `vite` as a development server: see README.md. */
const { CARREL_PAGE, CARREL_PAGE_TOKEN } = process.env

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Two clones of one machine share no cache.
  cacheDir: fileURLToPath(new URL('../node_modules/.cache/vite', import.meta.url)),
  build: {
    target: 'esnext',
    // Every script, style and worklet is a file of its own: the policy of the page allows no other.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  server: CARREL_PAGE === undefined ? {} : { proxy: { '/api': proxyTo(CARREL_PAGE, CARREL_PAGE_TOKEN) } },
})

/** A request that carries the token in a header is a program's: the server expects no `Origin` of it. */
function proxyTo(page: string, token: string | undefined): ProxyOptions {
  const target = new URL(page)
  const { host } = target
  // Unlike browsers, not every system knows the addresses of names under localhost.
  if (target.hostname.endsWith('.localhost')) target.hostname = '127.0.0.1'
  return {
    target: target.origin,
    ws: true,
    headers: { host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    configure: (proxy) => {
      proxy.on('proxyReq', (request) => request.removeHeader('origin'))
      proxy.on('proxyReqWs', (request) => request.removeHeader('origin'))
    },
  }
}
