import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newSession, until } from './server.ts'
import { TestApp } from './test-app.ts'

test('an app runs commands, keeps files and processes across a restart, and knows two tenants', async (t) => {
  const app = await TestApp.start()
  t.after(() => app.stop())
  const session = newSession()
  const other = await app.newAccount()
  assert.equal((await app.shell('echo kept > file; cat file', { sessionId: session })).stdout, 'kept\n')
  const foreign = await app.post(
    '/execute',
    { code: 'cat file', language: 'shell', sessionId: session },
    { token: other },
  )
  assert.equal(foreign.body.result.exitCode, 1)
  await app.stop()

  const again = await TestApp.start()
  t.after(() => again.stop())
  assert.equal((await again.shell('cat file', { sessionId: session })).stdout, 'kept\n')
})

test('an app that is killed leaves what runs to the next one, which learns how it ended', async (t) => {
  const killed = await TestApp.start()
  t.after(() => killed.stop())
  const sessionId = newSession()
  const command = 'echo begun; while [ ! -e ended ]; do sleep 0.01; done; echo over; exit 3'
  const { id } = await killed.done('/process/start', { command, processId: 'loop', sessionId })
  await killed.stop('SIGKILL')

  const next = await TestApp.start()
  t.after(() => next.stop())
  const asked = async () => (await next.done('/process/get', { processId: 'loop', sessionId })).process
  assert.equal((await asked()).status, 'running')
  await next.shell('touch ended', { sessionId })
  const { exitCode } = await until(asked, ({ status }) => status !== 'running')
  assert.equal(exitCode, 3)
  const { records } = await next.driver.output(id, 0)
  assert.equal(records.map(({ data }) => data.toString()).join(''), 'begun\nover\n')
})
