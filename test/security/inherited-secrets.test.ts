import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { newSession, TestServer } from '../support/server.ts'

test('programs that the server starts inherit its environment without the secret settings', async (t) => {
  const [mark, secret] = [randomBytes(20).toString('hex'), randomBytes(20).toString('hex')]
  const server = await TestServer.start({
    env: {
      CARREL_TEST_MARK: mark,
      CARREL_GITHUB_CLIENT_SECRET: secret,
      CARREL_METRICS_TOKEN: secret,
      CARREL_MPP_SECRET: secret,
      CARREL_STRIPE_KEY: `sk_test_${secret}`,
      CARREL_STRIPE_WEBHOOK_SECRET: `whsec_${secret}`,
    },
  })
  t.after(() => server.stop())
  // An earlier server may have started the monitor; a watch has a program of its own.
  const ending = new AbortController()
  t.after(() => ending.abort())
  const response = await fetch(`${server.url}/watch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ path: '/workspace', sessionId: newSession() }),
    signal: ending.signal,
  })
  await response.body!.getReader().read()
  const inherited = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== server.process.pid)
    .map(environmentOf)
    .filter((environment) => environment.includes(mark))
  assert.ok(inherited.length > 0)
  for (const environment of inherited) assert.ok(!environment.includes(secret))
})

/** Returns the environment of a process as it was started; '' for one that has ended. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
