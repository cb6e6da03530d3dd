import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { checkDisk, checkPort } from './host-checks.js'

test('checkPort() names the taken port and suggests another', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await assert.rejects(checkPort('127.0.0.1', port), { message: new RegExp(`127.0.0.1:${port}.*CARREL_PORT=`) })
  await checkPort('127.0.0.1', 0)
})

test('checkDisk() checks the disk of a folder that does not exist yet, and says how much is needed', () => {
  // /proc has no room at all.
  assert.throws(() => checkDisk('/proc/carrel/data'), { message: /"\/proc\/carrel\/data": 0 GiB .* CARREL_DATA/ })
})
