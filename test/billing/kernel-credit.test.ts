import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestServer } from '../support/server.ts'
import { dearEnvironment, newTenant, pay } from './tenants.ts'

test('code of a kernel that is ended with the credit is answered so, with what it gave', async (t) => {
  const server = await TestServer.start({ env: dearEnvironment })
  t.after(() => server.stop())
  const { accountId, token } = await newTenant()
  await pay(accountId, { tier: 'micro' })
  const code = 'import time\nprint("first")\ntime.sleep(60)'
  const { status, body } = await server.post('/interpret', { code, language: 'python' }, { token })
  assert.deepEqual([status, body.code, body.action, body.status], [402, 'OUT_OF_CREDITS', 'TOP_UP', 'died'])
  assert.deepEqual([body.logs.stdout, body.kernelLost], ['first\n', true])
})
