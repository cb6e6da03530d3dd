import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from '../../../support/server.ts'
import { settles } from '../../../support/settles.ts'
import { stdoutWith, type Part } from '../../subject.ts'
import { creates, has, watchNew } from '../../watching.ts'

export const describeWatchOnHost: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })
  const shell = (code: string) => subject().shell(id, code)

  test('watch() of a tree keeps few descriptors open, however deep it is', async () => {
    const depth = 1000
    await shell(`mkdir -p /workspace/deep/$(printf 'd/%.0s' $(seq ${depth}))`)
    const openFiles = () => readdirSync('/proc/self/fd').length
    const before = openFiles()
    const controller = new AbortController()
    const options = { recursive: true, signal: controller.signal }
    const changes = subject().driver.files(id).watch('/workspace/deep', options)[Symbol.asyncIterator]()
    let max = 0
    let isReady = false
    const ready = changes.next().then(({ value }) => {
      isReady = true
      assert.equal(value.type, 'ready')
    })
    while (!isReady) {
      max = Math.max(max, openFiles())
      await turn()
    }
    await ready
    assert.ok(max - before < 20, `it had ${max - before} open`)
    await shell(`touch /workspace/deep/$(printf 'd/%.0s' $(seq ${depth}))file`)
    const { value } = await settles(changes.next(), 'the change at the bottom')
    assert.deepEqual([value.type, value.path.endsWith('/d/file')], ['create', true])
    controller.abort()
    await changes.return?.()
    await shell('rm -r /workspace/deep')
  })

  test('watch() reports when the kernel lost events, and still finds what was created and deleted', async (t) => {
    const changes = await watchNew(t, subject(), id, { directory: '/workspace/loss', recursive: true })
    await shell('mkdir /workspace/loss/dir; touch /workspace/loss/old')
    await has(changes, { type: 'create', path: '/workspace/loss/old' })
    const code = `
import os, time
print('begin', flush=True)
time.sleep(0.3)
for i in range(40_000): open('/workspace/loss/dir/%d' % i, 'w').close()
os.remove('/workspace/loss/old'); os.mkdir('/workspace/loss/late')`
    const writing = await subject().exec(id, ['python3', '-c', code])
    await stdoutWith(writing, 'begin')
    // The server is blocked meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000)
    await settles(writing.wait())
    await has(changes, { type: 'overflow' })
    await has(changes, { type: 'delete', path: '/workspace/loss/old' })
    await shell('touch /workspace/loss/late/file')
    await has(changes, { type: 'create', path: '/workspace/loss/late/file' })
    assert.equal(new Set(creates(changes).filter((path) => path.includes('/dir/'))).size, 40_000)
  })

  test('watch() leaves no descriptor and no program', async () => {
    const open = () => readdirSync('/proc/self/fd').length
    const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').length
    const before = { open: open(), children: children() }
    for (let round = 0; round < 5; round++) {
      const controller = new AbortController()
      const options = { recursive: true, signal: controller.signal }
      for await (const { type } of subject().driver.files(id).watch('/workspace', options)) if (type === 'ready') break
      controller.abort()
    }
    await until(
      () => ({ open: open(), children: children() }),
      (after) => after.open <= before.open && after.children <= before.children,
    )
  })
}
