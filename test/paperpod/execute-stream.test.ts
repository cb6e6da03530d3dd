import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer } from '../support/server.ts'
import { readFrames, type Frame } from './sse-frames.ts'

describe('POST /execute/stream', () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  const open = (body: Record<string, unknown>, signal?: AbortSignal) =>
    fetch(`${server.url}/execute/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ language: 'shell', sessionId, ...body }),
      signal,
    })

  const frames = async (body: Record<string, unknown>): Promise<Frame[]> =>
    await Array.fromAsync(readFrames(await open(body)))

  const textOf = (all: Frame[], stream: string) =>
    all
      .filter(({ event }) => event === stream)
      .map(({ data }) => data.data)
      .join('')

  test('sends start, the output and complete, each with its type in the data', async () => {
    const all = await frames({ code: 'echo out; echo err >&2; exit 3' })
    assert.equal(all[0]!.event, 'start')
    assert.match(all[0]!.data.processId, /^[0-9a-z]{20}$/)
    assert.deepEqual([textOf(all, 'stdout'), textOf(all, 'stderr')], ['out\n', 'err\n'])
    for (const { event, data } of all) assert.equal(data.type, event)
    const { durationMs, ...end } = all.at(-1)!.data
    assert.deepEqual(end, { type: 'complete', exitCode: 3, signal: null, reason: 'exited', truncated: false })
    assert.equal(typeof durationMs, 'number')
  })

  test('sends output while the program runs', async () => {
    // It ends when its first output has been seen, and not before.
    const code = 'echo now; while [ ! -e seen ]; do sleep 0.05; done; echo later'
    let text = ''
    for await (const { event, data } of readFrames(await open({ code }))) {
      if (event !== 'stdout') continue
      text += data.data
      if (text === 'now\n') await server.shell('touch seen', { sessionId })
    }
    assert.equal(text, 'now\nlater\n')
  })

  test('never cuts a character that arrives in two pieces', async () => {
    const code = [
      'import os, time',
      'for byte in "€😀é".encode():',
      '  os.write(1, bytes([byte])); time.sleep(0.03)',
    ].join('\n')
    const all = await frames({ code, language: 'python' })
    assert.equal(textOf(all, 'stdout'), '€😀é')
    for (const { event, data } of all) if (event === 'stdout') assert.doesNotMatch(data.data, /\ufffd/)
  })

  test('ends with the rest of an incomplete character', async () => {
    const all = await frames({ code: String.raw`printf 'a\xe2\x82'` })
    assert.equal(textOf(all, 'stdout'), 'a\ufffd')
  })

  test('sends ids from which POST /process/get continues without a gap or a repetition', async () => {
    const code =
      'for i in range(3000): print("zeile ä€", i, file=[sys.stdout, sys.stderr][i % 9 == 0], flush=(i % 7 == 0))'
    const all = await frames({ code: `import sys\n${code}`, language: 'python' })
    const whole = textOf(all, 'stdout')
    const { processId } = all[0]!.data
    const withId = all.filter(({ id, event }) => id !== undefined && ['stdout', 'stderr'].includes(event))
    assert.ok(withId.length > 0, 'no event had an id')
    for (const frame of [withId[0]!, withId[Math.floor(withId.length / 2)]!, withId.at(-1)!]) {
      const seen = all.slice(0, all.indexOf(frame) + 1)
      const { body } = await server.post('/process/get', { processId, sessionId, cursor: Number(frame.id) })
      assert.equal(textOf(seen, 'stdout') + body.logs.stdout, whole)
    }
  })

  test('sends each id once, ascending', async () => {
    const all = await frames({ code: 'for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; sleep 0.02; done' })
    const ids = all.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]))
    assert.deepEqual(
      ids,
      [...new Set(ids)].toSorted((a, b) => a - b),
    )
  })

  test('sends 20 MB completely', async () => {
    const all = await frames({ code: 'seq 1 2600000', timeout: 60_000 })
    const text = textOf(all, 'stdout')
    assert.equal(text.length, 19_688_896)
    assert.ok(text.endsWith('\n2600000\n'))
    assert.equal(all.at(-1)!.data.truncated, false)
  })

  test('ends with the reason timeout when the time limit is reached', async () => {
    const all = await frames({ code: 'echo a; sleep 60', timeout: 300 })
    assert.deepEqual(
      [textOf(all, 'stdout'), all.at(-1)!.event, all.at(-1)!.data.reason],
      ['a\n', 'complete', 'timeout'],
    )
  })

  test('sends no output events for a silent program', async () => {
    assert.deepEqual(
      (await frames({ code: 'true' })).map(({ event }) => event),
      ['start', 'complete'],
    )
  })

  test('an Idempotency-Key is refused with 400, and nothing runs', async () => {
    const { status, body } = await server.post(
      '/execute/stream',
      { code: 'touch keyed', language: 'shell', sessionId },
      { headers: { 'idempotency-key': 'k1' } },
    )
    assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'Idempotency-Key'])
    assert.match(body.error, /use \/execute$/)
    assert.equal((await server.shell('ls keyed 2>&1 || true', { sessionId })).stdout.includes('No such file'), true)
  })

  test('answers an invalid request with 400 and JSON, not a stream', async () => {
    const { status, body } = await server.post('/execute/stream', { code: 'x', language: 'perl' })
    assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'language'])
  })

  test('answers a program that cannot start with its status and JSON, not a stream', async () => {
    const { status, body } = await server.post('/execute/stream', {
      code: 'x',
      language: 'shell',
      sessionId,
      cwd: '/not/there',
    })
    assert.deepEqual([status, body.code], [404, 'NOT_FOUND'])
  })
})
