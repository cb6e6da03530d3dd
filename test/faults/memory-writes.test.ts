import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024

test('a server that is killed during writes of memory keeps each file intact, and every confirmed write', async (t) => {
  let server = await TestServer.start()
  t.after(() => server.stop())
  const token = await server.newAccount()
  const call = (route: string, body: Record<string, unknown>) => server.post(`/memory/${route}`, body, { token })
  const contentOf = (round: number) => `${round}:`.padEnd(2 * MiB, String(round % 10))
  let confirmed = 0
  let sent = 0
  const writing = (async () => {
    for (;;) {
      sent++
      await call('write', { path: 'file', content: contentOf(sent) })
      confirmed = sent
    }
  })()
  await until(
    () => confirmed,
    (count) => count >= 5,
  )
  const cut = assert.rejects(writing)
  await server.stop('SIGKILL')
  await cut
  server = await TestServer.start()
  const { content } = (await call('read', { path: 'file' })).body
  const round = Number(content.slice(0, content.indexOf(':')))
  assert.ok(round === confirmed || round === sent, `${round} is neither ${confirmed} nor ${sent}`)
  assert.ok(content === contentOf(round))
})
