import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { newSession, TestServer } from '../support/server.ts'

describe("a browser's own WebSocket", { timeout: 120_000, skip: noBrowser }, () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  test('opens with a ticket, runs a terminal, and resumes after it was closed', async () => {
    const sessionId = newSession()
    const { body: first } = await server.post('/ws/ticket')
    const { body: second } = await server.post('/ws/ticket')
    await using page = await BrowserPage.open()
    const seen = await page.evaluate<{ exit: { exitCode: number }; text: string }>(`(async () => {
      const listen = (url, onMessage) => new Promise((resolve, reject) => {
        const socket = new WebSocket(url)
        socket.onopen = () => resolve(socket)
        socket.onerror = () => reject(new Error('refused'))
        socket.onmessage = ({ data }) => onMessage(JSON.parse(data), socket)
      })
      const sessionId = ${JSON.stringify(sessionId)}
      let text = '', processId, cursor = 0
      const atNine = Promise.withResolvers()
      const socket = await listen(${JSON.stringify(first.url)}, ({ type, data }) => {
        if (type === 'start') processId = data.processId
        if (type !== 'stdout') return
        text += data.text
        cursor = data.cursor
        if (text.includes('9\\r\\n')) atNine.resolve()
      })
      socket.send(JSON.stringify({ type: 'exec', id: 1, sessionId, tty: { cols: 99, rows: 9 },
        command: 'stty size; for i in $(seq 1 60); do echo $i; sleep 0.02; done; echo é€😀' }))
      await atNine.promise
      socket.close()
      socket.onmessage = null
      const exit = Promise.withResolvers()
      const again = await listen(${JSON.stringify(second.url)}, ({ type, data }) => {
        if (type === 'stdout') text += data.text
        if (type === 'exit' || type === 'error') exit.resolve(data)
      })
      again.send(JSON.stringify({ type: 'process', action: 'attach', id: 2, sessionId, processId, cursor }))
      return { exit: await exit.promise, text }
    })()`)
    const lines = Array.from({ length: 60 }, (_, index) => `${index + 1}\r\n`).join('')
    assert.equal(seen.text, `9 99\r\n${lines}é€😀\r\n`)
    assert.equal(seen.exit.exitCode, 0)
  })

  test('does not open with a wrong token', async () => {
    await using page = await BrowserPage.open()
    const outcome = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(`${server.url.replace('http', 'ws')}/ws?token=wrong`)})
      socket.onopen = () => resolve('open')
      socket.onclose = ({ code }) => resolve(code)
    })`)
    assert.equal(outcome, 1006)
  })
})
