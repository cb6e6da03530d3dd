import assert from 'node:assert/strict'
import { before, test, type TestContext } from 'node:test'
import type { FileChange } from '../../../src/drivers/driver.ts'
import { until } from '../../support/server.ts'
import { within, type Part } from '../subject.ts'

export const describeWatch: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })
  const shell = (code: string) => subject().shell(id, code)

  /** Watches a new directory; resolves when changes are told. */
  async function watch(t: TestContext, directory: string, recursive: boolean): Promise<FileChange[]> {
    await shell(`mkdir -p ${directory}`)
    const controller = new AbortController()
    const changes: FileChange[] = []
    const reading = (async () => {
      for await (const change of subject().driver.files(id).watch(directory, { recursive, signal: controller.signal }))
        changes.push(change)
    })()
    t.after(async () => {
      controller.abort()
      await within(2000, reading, 'the end of the watch')
    })
    let tries = 0
    await until(
      async () => shell(`echo > ${directory}/.probe-${++tries}`),
      () => changes.some(({ path }) => path.includes('.probe')),
    )
    await shell(`rm ${directory}/.probe*`)
    await until(
      () => changes.filter(({ type }) => type === 'delete').length,
      (count) => count >= changes.filter(({ type }) => type === 'create').length,
    )
    changes.length = 0
    return changes
  }

  const has = (changes: FileChange[], wanted: Partial<FileChange>) =>
    until(
      () => changes,
      () =>
        changes.some((change) =>
          Object.entries(wanted).every(([key, value]) => change[key as keyof FileChange] === value),
        ),
      5000,
    )

  test('watch() tells what is made, changed, deleted and renamed', async (t) => {
    const changes = await watch(t, '/workspace/w', false)
    await shell('echo 1 > /workspace/w/file')
    await has(changes, { type: 'create', path: '/workspace/w/file', directory: false })
    await shell('echo 2 >> /workspace/w/file')
    await has(changes, { type: 'modify', path: '/workspace/w/file', directory: false })
    await shell('mv /workspace/w/file /workspace/w/other')
    await has(changes, { type: 'rename', path: '/workspace/w/other', oldPath: '/workspace/w/file', directory: false })
    await shell('rm /workspace/w/other')
    await has(changes, { type: 'delete', path: '/workspace/w/other', directory: false })
    await shell('mkdir /workspace/w/below && echo x > /workspace/w/below/file && echo y > /workspace/w/last')
    await has(changes, { type: 'create', path: '/workspace/w/below', directory: true })
    await has(changes, { type: 'create', path: '/workspace/w/last' })
    assert.ok(!changes.some(({ path }) => path === '/workspace/w/below/file'))
  })

  test('watch() of a tree looks into directories that were there and that come', async (t) => {
    await shell('mkdir -p /workspace/tree/old/deep')
    const changes = await watch(t, '/workspace/tree', true)
    await shell('echo 1 > /workspace/tree/old/deep/file')
    await has(changes, { type: 'create', path: '/workspace/tree/old/deep/file' })
    await shell('mkdir -p /workspace/tree/new/deep && echo 2 > /workspace/tree/new/deep/file')
    await has(changes, { type: 'create', path: '/workspace/tree/new', directory: true })
    await has(changes, { type: 'create', path: '/workspace/tree/new/deep/file' })
    await shell('mv /workspace/tree/new /workspace/tree/newer')
    await has(changes, {
      type: 'rename',
      path: '/workspace/tree/newer',
      oldPath: '/workspace/tree/new',
      directory: true,
    })
    await shell('echo 3 >> /workspace/tree/newer/deep/file; echo 4 > /workspace/tree/newer/deep/more')
    await has(changes, { path: '/workspace/tree/newer/deep/more', type: 'create' })
    await shell('rm -r /workspace/tree/newer')
    await has(changes, { type: 'delete', path: '/workspace/tree/newer', directory: true })
  })

  test('watch() sees what is written from outside under its own name alone', async (t) => {
    const changes = await watch(t, '/workspace/outside', false)
    const files = subject().driver.files(id)
    await files.write('/workspace/outside/file', Buffer.from('one'), { maxBytes: 100 })
    await has(changes, { type: 'create', path: '/workspace/outside/file' })
    await files.write('/workspace/outside/file', Buffer.from('two'), { maxBytes: 100 })
    await has(changes, { type: 'modify', path: '/workspace/outside/file' })
    assert.deepEqual([...new Set(changes.map(({ path }) => path))], ['/workspace/outside/file'])
  })

  test('watch() does not follow a link that takes the place of a directory', async (t) => {
    await shell('mkdir -p /workspace/swap/inner')
    const changes = await watch(t, '/workspace/swap', true)
    await shell('cd /workspace/swap && rmdir inner && ln -s /tmp inner && echo x > /tmp/leaked && echo y > after')
    await has(changes, { type: 'create', path: '/workspace/swap/after' })
    assert.ok(!changes.some(({ path }) => path.includes('leaked')))
  })

  test('watch() ends when it is aborted, also before it began', async () => {
    const files = subject().driver.files(id)
    const done = Array.fromAsync(files.watch('/workspace', { recursive: true, signal: AbortSignal.abort() }))
    assert.deepEqual(await within(2000, done, 'the end of the watch'), [])
  })

  test('watch() ends when its directory goes', async () => {
    await shell('mkdir -p /workspace/going')
    const controller = new AbortController()
    const changes: FileChange[] = []
    const reading = (async () => {
      const options = { recursive: false, signal: controller.signal }
      for await (const change of subject().driver.files(id).watch('/workspace/going', options)) changes.push(change)
    })()
    let tries = 0
    await until(
      async () => shell(`echo > /workspace/going/${++tries}`),
      () => changes.length > 0,
    )
    await shell('rm -r /workspace/going')
    try {
      await within(3000, reading, 'the end of the watch')
    } finally {
      controller.abort()
    }
  })

  test('watch() of what is missing or no directory is refused', async () => {
    const files = subject().driver.files(id)
    const options = { recursive: false, signal: AbortSignal.timeout(5000) }
    await assert.rejects(Array.fromAsync(files.watch('/nothing', options)), { code: 'not_found' })
    await assert.rejects(Array.fromAsync(files.watch('/etc/passwd', options)), { name: 'CarrelError' })
    await assert.rejects(Array.fromAsync(files.watch('relative', options)), { code: 'invalid_request' })
  })

  test('watch() follows a link that its path is, and none below', async (t) => {
    await shell('mkdir -p /workspace/linked && ln -s linked /workspace/by-link && ln -s /tmp /workspace/linked/out')
    const changes = await watch(t, '/workspace/by-link', true)
    await shell('echo x > /tmp/not-seen; echo x > /workspace/linked/file')
    await has(changes, { type: 'create', path: '/workspace/by-link/file' })
    assert.ok(!changes.some(({ path }) => path.includes('not-seen')))
  })

  test('watch() that is not read says that changes were dropped, and goes on', async (t) => {
    await shell('mkdir -p /workspace/flood')
    const controller = new AbortController()
    t.after(() => controller.abort())
    const options = { recursive: false, signal: controller.signal }
    const files = subject().driver.files(id)
    const unread = files.watch('/workspace/flood', options)[Symbol.asyncIterator]()
    const first = unread.next()
    const read = watchInBackground(files.watch('/workspace/flood', options))
    let tries = 0
    await until(
      async () => shell(`echo > /workspace/flood/start-${++tries}`),
      () => read.changes.length > 0,
    )
    await first
    await subject().python(id, "for i in range(14000): open('/workspace/flood/%d' % i, 'w').close()")
    // What the other watch has seen this one had the time to see too.
    await until(
      () => read.changes,
      (changes) => changes.some(({ path }) => path === '/workspace/flood/13999'),
    )
    const next = async (wanted: (change: FileChange) => boolean) => {
      for (let count = 1; ; count++) {
        const change = await unread.next()
        if (!change.done && wanted(change.value)) return count
      }
    }
    const count = await within(
      10_000,
      next(({ type }) => type === 'overflow'),
      'the overflow',
    )
    assert.ok(count > 5000 && count < 14_000, `${count} were kept`)
    await shell('echo > /workspace/flood/after')
    await within(
      10_000,
      next(({ path }) => path === '/workspace/flood/after'),
      'the change after it',
    )
  })
}

function watchInBackground(watched: AsyncIterable<FileChange>): { changes: FileChange[] } {
  const changes: FileChange[] = []
  void (async () => {
    for await (const change of watched) changes.push(change)
  })()
  return { changes }
}
