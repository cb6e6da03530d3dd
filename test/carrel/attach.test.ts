import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { Carrel, type ExecSession } from '../../sdk/index.ts'
import { TestApp } from '../support/test-app.ts'
import { until } from '../support/server.ts'

describe('attaching to a process over /v1/exec', { timeout: 60_000 }, () => {
  let server: TestApp
  let carrel: Carrel
  before(async () => {
    server = await TestApp.start()
    carrel = new Carrel({ baseUrl: server.url, token: server.token, sessionId: 'attached', WebSocket })
  })
  after(() => server.stop())

  const textOf = async (session: ExecSession) => {
    let text = ''
    for await (const { data } of session) text += Buffer.from(data).toString()
    return text
  }

  test('without following it yields the output so far, of a process that runs and of one that has ended', async () => {
    const { processId } = await carrel.processes.start('echo one; echo two; sleep 600')
    const printed = async () => (await carrel.processes.get(processId)).logs.stdout
    await until(printed, (text) => text === 'one\ntwo\n')
    const session = await carrel.attach(processId, { follow: false })
    assert.equal(await textOf(session), 'one\ntwo\n')
    assert.equal(session.hasTerminal, false)
    assert.equal(await textOf(await carrel.attach(processId, { follow: false, cursor: session.cursor })), '')
    await carrel.processes.kill(processId)
    const ended = await carrel.attach(processId, { follow: false })
    assert.equal(await textOf(ended), 'one\ntwo\n')
    assert.equal((await ended.exit).exitCode, 143)
  })

  test('a client learns that a process has a terminal', async () => {
    const first = await carrel.exec({ command: 'sleep 600', stdin: true, tty: { cols: 80, rows: 24 } })
    const second = await carrel.attach(first.processId)
    await second.ready
    assert.equal(second.hasTerminal, true)
    await second.close()
    first.signal('SIGKILL')
    assert.equal((await first.result()).exitCode, 137)
  })
})
