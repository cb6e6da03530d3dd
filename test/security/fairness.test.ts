import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'

/** How many requests one account sends at once, to two sandboxes that each run fewer at a time. */
const flood = 400

describe('an account that requests more work than can be done', { timeout: 300_000 }, () => {
  let server: TestServer
  let other: string
  const sessions = [newSession(), newSession()]
  const otherSession = newSession()

  const execute = async (sessionId: string | undefined, token = server.token) => {
    const { status, body } = await server.post('/execute', { code: 'true', language: 'shell', sessionId }, { token })
    assert.equal(status, 200, JSON.stringify(body))
  }
  const waiting = async (queue: string): Promise<number> => {
    const { body } = await server.call('GET', '/metrics')
    return Number(new RegExp(`^carrel_queue_length\\{queue="${queue}"\\} (\\d+)$`, 'm').exec(body)![1])
  }

  before(async () => {
    server = await TestServer.start()
    other = await server.newAccount('other')
    for (const sessionId of sessions) await execute(sessionId)
    await execute(otherSession, other)
  })
  after(() => server.stop())

  test('delays another account by at most one permit', async (t) => {
    let answered = 0
    const all = Promise.all(
      Array.from({ length: flood }, async (_, index) => {
        await execute(sessions[index % 2])
        answered++
      }),
    )
    await until(
      () => waiting('starts'),
      (count) => count > flood / 2,
    )
    const before = answered
    const begun = performance.now()
    for (let count = 0; count < 3; count++) await execute(otherSession, other)
    const between = answered - before
    t.diagnostic(
      `three of the other took ${Math.round(performance.now() - begun)} ms, ${between} of ${flood} meanwhile`,
    )
    assert.ok(between < flood / 4, `${between} of the first account were answered before the other's three`)
    await all
  })

  test('does not keep the first sandbox of another account from its turns', async () => {
    let made = 0
    const all = Promise.all(
      Array.from({ length: 30 }, async () => {
        await execute(newSession())
        made++
      }),
    )
    await until(
      () => waiting('creates'),
      (count) => count > 20,
    )
    const before = made
    await execute(newSession(), other)
    assert.ok(made - before < 20, `${made - before} sandboxes of the first account were made before the other's one`)
    await all
  })
})
