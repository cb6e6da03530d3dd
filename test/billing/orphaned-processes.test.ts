import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'
import { assertBooksAreRight, dearEnvironment, newLimitedKey, newTenant, pay } from './tenants.ts'

/** Each starts something that mostly sleeps, for minutes after the cell has ended. */
const python = {
  'a program in a session of its own':
    'import subprocess\nsubprocess.Popen(["sleep", "600"], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)',
  'a program that forks twice': `
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvpe("sleep", ["sleep", "600"], {"PATH": os.environ["PATH"]})
    os._exit(0)`,
  'a program that calls itself like the kernel':
    'import subprocess\nsubprocess.Popen(["python3", "600"], executable="/usr/bin/sleep")',
  'a program whose first thread ended': `
import subprocess
code = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start(); ctypes.CDLL(None).syscall(60, 0)"
subprocess.Popen(["python3", "-c", code])`,
  'a thread that works':
    'import threading, time\nend = time.time() + 30\ndef work():\n    while time.time() < end: sum(range(1000))\nthreading.Thread(target=work, daemon=True).start()',
}

const javascript = {
  'a program of its own':
    "require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref()",
  'a program that forks and leaves': "require('node:child_process').execSync('setsid sleep 600 >/dev/null 2>&1 &')",
  'a thread that works':
    "new (require('node:worker_threads').Worker)('const end = Date.now() + 30_000; while (Date.now() < end);', { eval: true })",
}

/** A program that ignores the signal to end, and shows that it runs. */
const loop = `import subprocess
subprocess.Popen(["sh", "-c", "trap : TERM; while :; do date +%s%N > /workspace/tick; sleep 0.05; done"])`

const env = { ...dearEnvironment, CARREL_IDLE_TIMEOUT_S: '600' }

describe('orphans of a kernel', { timeout: 300_000 }, () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start({ env })
  })
  after(() => server.stop())

  const balance = async (token: string): Promise<number> =>
    (await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining
  const interpret = async (token: string, language: string, code: string, sessionId = newSession()) => {
    const { status, body } = await server.post('/interpret', { code, language, sessionId }, { token })
    assert.deepEqual([status, body.status], [200, 'completed'], JSON.stringify(body))
  }
  const newPayer = async () => {
    const tenant = await newTenant()
    await pay(tenant.accountId, { tier: 'scale' })
    return tenant
  }
  /** Returns what is spent while seconds pass. */
  const spentIn = async (token: string, seconds: number) => {
    const [begun, first] = [performance.now(), await balance(token)]
    await until(async () => performance.now() - begun >= seconds * 1000, Boolean)
    return { spent: first - (await balance(token)), seconds: (performance.now() - begun) / 1000 }
  }

  const untilStill = async (token: string, sessionId: string) => {
    const read = async () => (await server.post('/files/read', { path: 'tick', sessionId }, { token })).body.content
    await until(
      async () => [await read(), await new Promise((resolve) => setTimeout(resolve, 300)), await read()],
      ([before, , now]) => before !== undefined && before === now,
      60_000,
    )
  }

  describe('cost every second', { concurrency: true }, () => {
    const all = Object.entries({ python, javascript }).flatMap(([language, cells]) =>
      Object.entries(cells).map(([what, code]) => ({ language, what, code })),
    )
    // In turn: what a test writes beside the server waits for nobody.
    const payers: string[] = []
    before(async () => {
      for (let count = 0; count < all.length; count++) payers.push((await newPayer()).token)
    })
    for (const [index, { language, what, code }] of all.entries())
      test(`${what}, in ${language}`, async () => {
        const token = payers[index]!
        await interpret(token, language, code)
        // A check finds a working kernel within a second.
        if (what.includes('thread'))
          await until(
            () => spentIn(token, 1),
            ({ spent }) => spent > 0.5,
            30_000,
          )
        const { spent, seconds } = await spentIn(token, 3)
        assert.ok(spent > 1.5 && spent < seconds + 1.5, `$${spent} in ${seconds} s`)
      })
  })

  test('idle kernels cost nothing, also after programs that have ended', async () => {
    const { token } = await newPayer()
    const sessionId = newSession()
    await interpret(
      token,
      'python',
      'import subprocess\nsubprocess.run(["true"])\nleft = subprocess.Popen(["true"])',
      sessionId,
    )
    await interpret(token, 'javascript', "require('node:child_process').execSync('true')", sessionId)
    await interpret(token, 'python', 'import threading\nthreading.Event().wait(0.1)', sessionId)
    assert.deepEqual((await spentIn(token, 4)).spent, 0)
  })

  test('occasional calls do not hide a thread that works between them', async () => {
    const { token } = await newPayer()
    const sessionId = newSession()
    await interpret(token, 'python', python['a thread that works'], sessionId)
    const first = await balance(token)
    const begun = performance.now()
    await until(
      () => interpret(token, 'python', '1', sessionId),
      () => performance.now() - begun > 6000,
    )
    assert.ok(first - (await balance(token)) > 2)
  })

  const usageByKey = async (token: string) => {
    const { body } = await server.call('GET', '/v1/usage?days=1', undefined, { token })
    return body.byKey.map(({ name, amountMicros }: { name: string; amountMicros: number }) => [name, amountMicros > 0])
  }

  test('are paid by the key that ran something last, and end with the limit of that key', async () => {
    const { accountId, token } = await newPayer()
    const { token: limited } = await newLimitedKey(accountId, 3_000_000)
    const sessionId = newSession()
    const other = newSession()
    await interpret(token, 'python', 'kept = 7', sessionId)
    await server.post(
      '/process/start',
      { command: 'sleep 600', processId: 'other', timeout: 0, sessionId: other },
      { token },
    )
    await interpret(limited, 'python', loop, sessionId)
    await untilStill(token, sessionId)
    assert.ok((await spentIn(limited, 0)).spent < 20)
    await interpret(token, 'python', 'assert kept == 7', sessionId)
    const { body } = await server.post('/process/get', { processId: 'other', sessionId: other }, { token })
    assert.equal(body.process.status, 'running')
    assert.deepEqual((await usageByKey(token)).toSorted(), [
      ['laptop', true],
      ['limited', true],
    ])
    const refused = await server.post('/execute', { code: 'true', language: 'shell', sessionId }, { token: limited })
    assert.deepEqual([refused.status, refused.body.code], [402, 'SPENDING_LIMIT_REACHED'])
  })

  for (const what of ['a program in a session of its own', 'a thread that works'] as const)
    test(`after a kill the next server charges ${what} from the last charge on, to the same key`, async () => {
      const { token } = await newPayer()
      const first = await balance(token)
      const begun = performance.now()
      await interpret(token, 'python', python[what])
      await until(
        () => usageByKey(token),
        (keys) => keys.length > 0,
        30_000,
      )
      await server.stop('SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 4000))
      server = await TestServer.start({ env })
      await spentIn(token, 2)
      const [spent, seconds] = [first - (await balance(token)), (performance.now() - begun) / 1000]
      // While there is no server, only processor time reveals a thread.
      const least = what === 'a thread that works' ? seconds / 2 : seconds - 2.5
      assert.ok(spent > least && spent < seconds + 0.5, `$${spent} in ${seconds} s`)
      await server.stop()
      server = await TestServer.start({ env })
      assert.deepEqual(await usageByKey(token), [['laptop', true]])
      await assertBooksAreRight()
    })

  test('end with the credit, and nothing is charged beyond it', async () => {
    const { accountId, token } = await newTenant()
    await pay(accountId, { amountCents: 500 })
    const sessionId = newSession()
    await interpret(token, 'python', loop, sessionId)
    await until(
      () => balance(token),
      (left) => left === 0,
      60_000,
    )
    await untilStill(token, sessionId)
    await assertBooksAreRight()
  })
})
