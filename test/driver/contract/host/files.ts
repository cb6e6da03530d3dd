import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Part } from '../../subject.ts'

const MiB = 1024 * 1024
const options = { maxBytes: 64 * MiB }
const whole = { limit: 10_000, maxBytes: 64 * MiB }

export const describeFilesOnHost: Part = (subject) => {
  test('a FIFO, a socket and a device are described, but never opened or read', async (t) => {
    const id = await subject().computer(t)
    const files = subject().driver.files(id)
    await subject().shell(id, 'mkfifo /workspace/fifo')
    await subject().python(id, 'import socket; socket.socket(socket.AF_UNIX).bind("/workspace/socket")')
    for (const path of ['/workspace/fifo', '/workspace/socket']) {
      assert.equal((await files.stat(path)).type, 'other')
      await assert.rejects(files.read(path), { code: 'invalid_request' }, `read ${path}`)
      await assert.rejects(files.write(path, Buffer.from('x'), options), { code: 'invalid_request' }, `write ${path}`)
    }
    await files.remove('/workspace/fifo', { recursive: false })
    assert.deepEqual(
      (await files.list('/workspace', whole)).entries.map(({ name }) => name),
      ['socket'],
    )
  })
}
