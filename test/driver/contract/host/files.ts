import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { settles } from '../../../support/settles.ts'
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

  test('remove() removes a tree that is deeper than any path, with few descriptors', async (t) => {
    const id = await subject().computer(t)
    const files = subject().driver.files(id)
    const code = `
import os
os.mkdir('/workspace/deep'); os.chdir('/workspace/deep')
for level in range(2000):
    os.symlink('/', 'link'); open(b'\\xff', 'w').close(); os.mkdir('level'); os.chdir('level')`
    await subject().python(id, code)
    const removed = files.remove('/workspace/deep', { recursive: true })
    let maxOpen = 0
    const before = openFiles()
    for (let isRunning = true; isRunning;)
      isRunning = await Promise.race([removed.then(() => false), setImmediate(true)]).finally(
        () => (maxOpen = Math.max(maxOpen, openFiles())),
      )
    assert.ok(maxOpen - before < 100, `${maxOpen} files are open`)
    assert.deepEqual((await files.list('/workspace', whole)).entries, [])
  })

  test('a directory that is swapped for a link out while it is removed never lets the removal escape', async (t) => {
    const id = await subject().computer(t)
    const files = subject().driver.files(id)
    const outside = mkdtempSync(join(tmpdir(), 'carrel-outside-'))
    t.after(() => rmSync(outside, { recursive: true }))
    const names = Array.from({ length: 200 }, (_, index) => `${index}`)
    for (const name of names) writeFileSync(join(outside, name), '')
    const rounds = Array.from({ length: 60 }, (_, index) => `/workspace/new${index}`)
    await subject().shell(
      id,
      `for new in ${rounds.join(' ')}; do
         mkdir -p $new/inner && touch $new/inner/{0..199} && ln -s ${outside} $new/link
       done`,
    )
    const swap = `
import ctypes
rename = ctypes.CDLL(None).renameat2
inner, link = b'/workspace/tree/inner', b'/workspace/tree/link'
while True: rename(-100, inner, -100, link, 2)`
    const process = await subject().exec(id, ['python3', '-c', swap])
    for (const round of rounds) {
      await files.move(round, '/workspace/tree')
      await files.remove('/workspace/tree', { recursive: true })
      await assert.rejects(files.stat('/workspace/tree'), { code: 'not_found' })
    }
    await process.kill('SIGKILL', 'tree')
    await settles(process.wait())
    assert.deepEqual(readdirSync(outside).toSorted(), names.toSorted())
  })
}

/** The number of descriptors that this process has open. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}
