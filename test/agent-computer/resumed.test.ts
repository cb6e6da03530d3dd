import assert from 'node:assert/strict'
import { test, mock } from 'node:test'
import { CarrelError } from '../../src/errors.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

/** What a server has answered before it was killed, the next one does. */
for (const [action, method, path, ends] of [
  ['create', 'POST', '/v1/computers', 'running'],
  ['stop', 'POST', '/v1/computers/c-stop/actions/stop', 'stopped'],
  ['start', 'POST', '/v1/computers/c-start/actions/start', 'running'],
  ['delete', 'DELETE', '/v1/computers/c-delete', undefined],
] as const)
  test(`a ${action} that was answered and not done is done by the next server`, { timeout: 60_000 }, async () => {
    const handle = `c-${action}`
    const stateAt = async (server: TestApp) =>
      (await server.call('GET', `/v1/computers/${handle}`)).body.computer?.state as string | undefined
    const first = await TestApp.start()
    if (action !== 'create') {
      await first.post('/v1/computers', { handle })
      await until(
        () => stateAt(first),
        (state) => state === 'running',
      )
    }
    if (action === 'start') {
      await first.post(`/v1/computers/${handle}/actions/stop`, {})
      await until(
        () => stateAt(first),
        (state) => state === 'stopped',
      )
    }
    // The server is killed between its answer and the work.
    first.engine.operations.begin = () => {}
    const { status, body } = await first.call(method, path, method === 'POST' ? { handle } : undefined)
    assert.equal(status, 202, JSON.stringify(body))
    await first.stop('SIGKILL')

    const next = await TestApp.start()
    try {
      const { operation } = (
        await until(
          () => next.call('GET', `/v1/operations/${body.operation.id}`),
          ({ body: now }) => now.operation.status !== 'running',
        )
      ).body
      assert.deepEqual([operation.status, operation.error_message], ['succeeded', null])
      assert.equal(await stateAt(next), ends)
    } finally {
      await next.stop()
    }
  })

test('a start that fails keeps the files, and says why', { timeout: 60_000 }, async () => {
  const server = await TestApp.start()
  try {
    const read = async () => (await server.call('GET', '/v1/computers/kept')).body
    await server.post('/v1/computers', { handle: 'kept' })
    await until(read, ({ computer }) => computer.state === 'running')
    await server.post('/v1/computers/kept/exec', { command: ['bash', '-c', 'echo here > file'] })
    await server.post('/v1/computers/kept/actions/stop', {})
    await until(read, ({ computer }) => computer.state === 'stopped')
    mock.method(server.driver, 'start', () => Promise.reject(new CarrelError('no_capacity', 'No network is left')))
    const begun = await server.post('/v1/computers/kept/actions/start', {})
    await until(read, ({ computer }) => computer.state === 'failed')
    assert.match((await read()).computer.failure_reason, /No network is left/)
    const { body } = await server.call('GET', `/v1/operations/${begun.body.operation.id}`)
    assert.equal(body.operation.status, 'failed')
    mock.restoreAll()
    await server.post('/v1/computers/kept/actions/start', {})
    await until(read, ({ computer }) => computer.state === 'running')
    const { stdout } = (await server.post('/v1/computers/kept/exec', { command: ['cat', 'file'] })).body
    assert.equal(stdout, 'here\n')
  } finally {
    await server.stop()
  }
})
