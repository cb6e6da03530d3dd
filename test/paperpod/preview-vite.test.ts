import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url))

/** Returns a package and its dependencies, as folders of node_modules. */
function withDependencies(name: string, found = new Set<string>()): Set<string> {
  const folder = join(modules, name)
  if (found.has(name) || !existsSync(folder)) return found
  found.add(name)
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) withDependencies(each, found)
  return found
}

const files = {
  'index.html': '<!doctype html><title>x</title><p id="shown"></p><script type="module" src="/main.js"></script>',
  'main.js': `import { word } from './word.js'
const show = (text) => { document.querySelector('#shown').textContent = text }
show(word)
window.loads = (window.loads ?? 0) + 1
import.meta.hot.accept('./word.js', (changed) => show(changed.word))`,
  'word.js': "export const word = 'before'",
}

describe('the dev server of Vite behind a preview', { timeout: 180_000, skip: noBrowser }, () => {
  let server: TestServer
  let url: string
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start({ env: { CARREL_COMPUTER_MEMORY_MIB: '768' } })
    const packed = execFileSync('tar', ['-cf', '-', '-C', modules, ...withDependencies('vite')], {
      maxBuffer: 256 * 1024 * 1024,
    })
    const form = new FormData()
    form.append('sessionId', sessionId)
    form.append('path', 'vite.tar')
    form.append('file', new Blob([packed]), 'vite.tar')
    assert.equal((await server.post('/files/upload', form)).status, 200)
    await server.shell('mkdir node_modules && tar -xf vite.tar -C node_modules && rm vite.tar', { sessionId })
    for (const [path, content] of Object.entries(files)) await server.done('/files/write', { path, content, sessionId })
    const command = 'node node_modules/vite/bin/vite.js --port 5173 --strictPort'
    await server.done('/process/start', { command, processId: 'vite', sessionId })
    url = (await server.done('/expose', { port: 5173, sessionId })).url
    await until(
      () => server.preview(url, '/'),
      ({ status }) => status === 200,
      60_000,
    )
  })
  after(() => server.stop())

  test('shows a change of a module in the open page without a reload', async () => {
    await using page = await BrowserPage.open()
    await page.goTo(url)
    const shown = () => page.evaluate<string | undefined>("document.querySelector('#shown')?.textContent")
    await until(shown, (text) => text === 'before', 30_000)
    for (const word of ['after', 'grüß dich']) {
      await server.done('/files/write', { path: 'word.js', content: `export const word = '${word}'`, sessionId })
      await until(shown, (text) => text === word, 30_000)
    }
    assert.equal(await page.evaluate('window.loads'), 1)
  })
})
