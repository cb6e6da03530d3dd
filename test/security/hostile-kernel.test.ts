import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, type Answer, type TestServer } from '../support/server.ts'
import { type Strain, WatchedServer } from '../support/watched-server.ts'

const MiB = 1024 * 1024

/**
 * Returns a `python3` that pretends to be a kernel, and answers each call with what `flood` prints; `id` is the call's
 * id.
 */
function kernelOf(flood: string): string {
  return `#!/usr/local/bin/real-python
import json, os, sys
def say(text, file=1):
    data = text.encode()
    while data:
        data = data[os.write(file, data):]
def event(**fields):
    return json.dumps(fields) + '\\n'
def for_ever(line):
    while True:
        say(line * 1000)
say('{"event":"ready"}\\n')
for request in sys.stdin:
    request = json.loads(request)
    if request.get('op') == 'run':
        id = request['id']
        done = event(event='done', id=id, count=1, truncated=False)
        say('\\x1e' + id + '\\n', 2)
${flood.replace(/^/gm, '        ')}
`
}

describe('a kernel that the guest replaced with its own program', { timeout: 300_000 }, () => {
  let watched: WatchedServer
  let server: TestServer
  before(async () => {
    watched = await WatchedServer.start()
    ;({ server } = watched)
  })
  after(() => watched.stop())

  /** Calls the kernel; returns the response, and how the call affects other clients. */
  async function call(flood: string, timeout = 1000): Promise<Answer & Strain> {
    const sessionId = newSession()
    await server.done('/files/write', { path: '/workspace/python3', content: kernelOf(flood), mode: 0o755, sessionId })
    const { exitCode, stderr } = await server.shell(
      'p=$(which python3) && sudo cp $(readlink -f $p) /usr/local/bin/real-python && sudo cp --remove-destination python3 $p',
      { sessionId },
    )
    assert.equal(exitCode, 0, stderr)
    const [answer, strain] = await watched.during(() => server.post('/interpret', { code: '1', sessionId, timeout }))
    return { ...answer, ...strain }
  }

  function assertUnnoticed({ longestTurnMs, grownMiB }: Strain): void {
    assert.ok(longestTurnMs < 250, `somebody else waited for ${longestTurnMs} ms of the processor`)
    assert.ok(grownMiB < 300, `the server grew by ${grownMiB} MiB`)
  }

  for (const [what, line] of [
    ['empty lines', `'\\n'`],
    ['lines that are no JSON', `'{"event":"output","id":\\n'`],
    ['events of another call', `event(event='clear', id='x', wait=False)`],
    ['events that change nothing', `event(event='clear', id=id, wait=True)`],
    ['output beyond what an answer holds', `event(event='output', id=id, name='stdout', text='x' * 9000)`],
  ] as const)
    test(`that sends ${what} endlessly is ended, and the call reports it`, async (t) => {
      const found = await call(`for_ever(${line})`, 60_000)
      t.diagnostic(brief(found))
      assert.equal(found.status, 200)
      assert.deepEqual([found.body.status, found.body.kernelLost], ['died', true])
      assert.match(found.body.error.message, /^The kernel was ended: it sent more than \d+ (bytes|meaningless lines)/)
      assertUnnoticed(found)
    })

  for (const [what, flood] of [
    ['that prints past it without end', String.raw`while True: say('\x1exxxxxxxxxxxxx\n' * 1000, 2)`],
    ['that says a line without end', `for_ever('x')`],
    ['that says nothing at all', 'pass'],
  ] as const)
    test(`${what} is held to the time limit`, async (t) => {
      const found = await call(flood)
      t.diagnostic(brief(found))
      assert.deepEqual([found.status, found.body.status, found.body.kernelLost], [200, 'timeout', true])
      assertUnnoticed(found)
    })

  for (const [what, value] of [
    ['nests five million deep', `'[' * 5000000 + ']' * 5000000`],
    ['has millions of values', `'[' + '[],' * 5000000 + '0]'`],
  ] as const)
    test(`whose value ${what} is answered without it`, async (t) => {
      const head = `'{"event":"result","id":"' + id + '","main":true,"data":{"application/json":'`
      const found = await call(String.raw`say(${head} + ${value} + '}}\n' + done)`, 30_000)
      t.diagnostic(brief(found))
      assert.deepEqual(
        [found.status, found.body.status, found.body.results, found.body.truncated],
        [200, 'completed', [], true],
      )
      assertUnnoticed(found)
    })

  test('is understood when it sends a full response letter by letter', async (t) => {
    const flood = `for i in range(50): say(event(event='output', id=id, name='stdout', text='y') * 1000)
say(event(event='result', id=id, main=True, data={'image/png': 'A' * ${20 * MiB}}) + done)`
    const found = await call(flood, 60_000)
    t.diagnostic(brief(found))
    assert.deepEqual([found.status, found.body.status, found.body.truncated], [200, 'completed', false])
    assert.equal(found.body.logs.stdout, 'y'.repeat(50_000))
    assert.ok(found.body.results[1].data === 'A'.repeat(20 * MiB))
    assertUnnoticed(found)
  })
})

function brief(found: object): string {
  return JSON.stringify({ ...found, body: undefined, headers: undefined })
}
