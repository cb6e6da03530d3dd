import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  assertBooksAreRight,
  dearEnvironment,
  limitWorkspace,
  newLimitedKey,
  newTenant,
  pay,
  type Tenant,
} from '../billing/tenants.ts'
import { newSession, TestServer, until } from '../support/server.ts'

/** A thread of the kernel that runs `body` until the kernel ends, and shows that it is alive. */
const thread = (body: string) => `
import threading, time, pathlib
def work():
    begun = time.time()
    while True:
        pathlib.Path("/workspace/tick").write_text(str(time.time_ns()))
${body.replace(/^/gm, '        ')}
threading.Thread(target=work, daemon=True).start()`

const busy = thread('end = time.time() + 0.05\nwhile time.time() < end: pass')
const everyOtherSecond = thread('end = time.time() + 1\nwhile time.time() < end: pass\ntime.sleep(1)')

const worker = `new (require('node:worker_threads').Worker)(\`
  const { writeFileSync } = require('node:fs')
  for (;;) { writeFileSync('/workspace/tick', String(Date.now())); const end = Date.now() + 50; while (Date.now() < end); }\`, { eval: true })`

/** Programs that each live briefly, start the next one in its own session, and work. */
const chain = `cat > /workspace/chain.sh <<'END'
date +%s%N > /workspace/tick
timeout 0.2 sh -c 'while :; do :; done'
setsid sh /workspace/chain.sh >/dev/null 2>&1 </dev/null &
END
setsid sh /workspace/chain.sh >/dev/null 2>&1 </dev/null &`

const server8200 = `
import threading, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(sum(range(1000000))).encode())
    def log_message(self, *_): pass
threading.Thread(target=http.server.ThreadingHTTPServer(("0.0.0.0", 8200), Handler).serve_forever, daemon=True).start()`

const env = { ...dearEnvironment, CARREL_SWEEP_INTERVAL_MS: '1000', CARREL_IDLE_TIMEOUT_S: '600' }

describe('work that tries to evade charges', { concurrency: true, timeout: 300_000 }, () => {
  let server: TestServer
  // One at a time: writes of a test beside the server do not wait for each other.
  const payers: Tenant[] = []
  const limited: { token: string }[] = []
  const beginners: Tenant[] = []
  before(async () => {
    server = await TestServer.start({ env })
    for (let count = 0; count < 8; count++) {
      const tenant = await newTenant()
      await pay(tenant.accountId, { tier: 'scale' })
      payers.push(tenant)
    }
    await limitWorkspace(payers[5]!.accountId)
    for (const { accountId } of [...payers.slice(3, 5), ...payers.slice(6, 8)])
      limited.push(await newLimitedKey(accountId, 3_000_000))
    for (let count = 0; count < 3; count++) {
      const tenant = await newTenant()
      await pay(tenant.accountId, { amountCents: 1000 })
      beginners.push(tenant)
    }
  })
  after(async () => {
    await server.stop()
    await assertBooksAreRight()
  })

  const balance = async (token: string): Promise<number> =>
    (await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining
  const interpret = async (token: string, code: string, sessionId: string, language = 'python') => {
    const { status, body } = await server.post('/interpret', { code, language, sessionId }, { token })
    assert.deepEqual([status, body.status], [200, 'completed'], JSON.stringify(body))
  }
  const shell = (token: string, code: string, sessionId: string) =>
    server.post('/execute', { code, language: 'shell', sessionId }, { token })
  const tick = async (token: string, sessionId: string): Promise<string | undefined> =>
    (await server.post('/files/read', { path: 'tick', sessionId }, { token })).body.content
  const untilStill = (token: string, sessionId: string) =>
    until(
      async () => [await tick(token, sessionId), await delay(500), await tick(token, sessionId)],
      ([before, , now]) => before !== undefined && before === now,
      90_000,
    )
  /** For work that rests for seconds by itself. */
  const untilEnded = (token: string, sessionId: string) =>
    until(
      async () => [await tick(token, sessionId), await delay(4000), await tick(token, sessionId)],
      ([before, , now]) => before !== undefined && before === now,
      90_000,
    )
  /** Returns what is spent in a number of seconds, at a dollar a second. */
  const spentWhile = async (token: string, seconds: number, doing: () => Promise<unknown> = () => delay(100)) => {
    const [begun, first] = [performance.now(), await balance(token)]
    while (performance.now() - begun < seconds * 1000) await doing()
    const passed = (performance.now() - begun) / 1000
    return { spent: first - (await balance(token)), passed }
  }

  test('a loop that works every other second costs the seconds in which it works', async () => {
    const { token } = payers[0]!
    await interpret(token, everyOtherSecond, newSession())
    const { spent, passed } = await spentWhile(token, 10)
    assert.ok(spent > passed * 0.25 && spent < passed + 0.5, `$${spent} in ${passed} s`)
  })

  test('a chain of short-lived programs is charged for all of its time, also beside charged work', async () => {
    const { token } = payers[1]!
    const sessionId = newSession()
    await shell(token, chain, sessionId)
    const alone = await spentWhile(token, 5)
    assert.ok(alone.spent > alone.passed * 0.75, `$${alone.spent} in ${alone.passed} s`)
    const beside = await spentWhile(token, 5, async () => {
      await shell(token, 'true', sessionId)
      await delay(100)
    })
    assert.ok(beside.spent > beside.passed * 0.75, `$${beside.spent} in ${beside.passed} s beside commands`)
    assert.ok(beside.spent < beside.passed + 2, `$${beside.spent} in ${beside.passed} s beside commands`)
  })

  test('a server in a thread of a kernel costs while it answers, and nothing while it is idle', async () => {
    const { token } = payers[2]!
    const sessionId = newSession()
    await interpret(token, server8200, sessionId)
    const { body } = await server.post('/expose', { port: 8200, sessionId }, { token })
    await delay(2000)
    const idle = await spentWhile(token, 3)
    assert.equal(idle.spent, 0)
    const { spent, passed } = await spentWhile(token, 5, async () => {
      assert.equal((await server.preview(body.url, '/')).status, 200)
      await delay(50)
    })
    // How much a request costs depends on how busy the host is; an idle server costs nothing at all.
    assert.ok(spent > passed * 0.2, `$${spent} in ${passed} s`)
  })

  for (const [index, [language, code]] of Object.entries({ python: busy, javascript: worker }).entries()) {
    test(`a thread that works ends with the credit, in ${language}`, async () => {
      const { token } = beginners[index]!
      const sessionId = newSession()
      await interpret(token, code, sessionId, language)
      await untilStill(token, sessionId)
      assert.equal(await balance(token), 0)
    })

    test(`a thread that works ends with the limit of its key, in ${language}, and others continue`, async () => {
      const { token } = payers[3 + index]!
      const [sessionId, other] = [newSession(), newSession()]
      await interpret(token, 'kept = 7', other)
      await interpret(limited[index]!.token, code, sessionId, language)
      const first = await balance(token)
      await untilStill(token, sessionId)
      assert.ok(first - (await balance(token)) < 15)
      await interpret(token, 'assert kept == 7', other)
    })
  }

  test('a thread that rests most of the time ends with the credit, and with the limit of its key', async () => {
    const rests = thread('end = time.time() + 0.6\nwhile time.time() < end: pass\ntime.sleep(1.9)')
    const [poor, cheap] = [beginners[2]!, limited[2]!]
    await Promise.all([
      (async () => {
        const sessionId = newSession()
        await interpret(poor.token, rests, sessionId)
        await until(
          () => balance(poor.token),
          (left) => left === 0,
          60_000,
        )
        await untilEnded(poor.token, sessionId)
      })(),
      (async () => {
        const sessionId = newSession()
        // The kernel belongs to another key.
        await interpret(payers[6]!.token, '1', sessionId)
        await interpret(cheap.token, rests, sessionId)
        await untilEnded(payers[6]!.token, sessionId)
      })(),
    ])
  })

  test('a call ends with the limit of its key in any kernel, and a call of another key in its kernel does not', async () => {
    const owner = payers[7]!.token
    const [shared, own] = [newSession(), newSession()]
    const busyCall = 'import time\nend = time.time() + 60\nwhile time.time() < end: pass'
    await interpret(owner, 'kept = 7', shared)
    // The kernel of the limited key, in which another key continues to work.
    await interpret(limited[3]!.token, '1', own)
    const [over, goesOn] = await Promise.all([
      server.post('/interpret', { code: busyCall, sessionId: shared, timeout: 60_000 }, { token: limited[3]!.token }),
      server.post('/interpret', { code: 'import time\ntime.sleep(12)', sessionId: own }, { token: owner }),
    ])
    assert.deepEqual([over.status, over.body.code], [402, 'SPENDING_LIMIT_REACHED'])
    assert.deepEqual([goesOn.status, goesOn.body.status], [200, 'completed'])
  })

  test('orphaned processes of a command end with the limit of the workspace', async () => {
    const { token } = payers[5]!
    const sessionId = newSession()
    await shell(
      token,
      `setsid sh -c 'while :; do date +%s%N > /workspace/tick; done' >/dev/null 2>&1 </dev/null &`,
      sessionId,
    )
    await untilStill(token, sessionId)
  })
})
