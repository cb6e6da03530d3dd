import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { limits } from '../config/limits.ts'
import { sendFinalResponse } from './final-response.ts'

test('a client that reads the last response but does not close is cut off', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const server = createServer({ allowHalfOpen: true })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  client.write('x'.repeat(100_000))
  sendFinalResponse(socket, 'no')
  let answer = ''
  for await (const chunk of client.iterator({ destroyOnReturn: false })) answer += String(chunk)
  assert.equal(answer, 'no')
  assert.equal(socket.destroyed, false)
  t.mock.timers.tick(limits.finalResponseMs)
  assert.equal(socket.destroyed, true)
  client.destroy()
})
