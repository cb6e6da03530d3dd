import assert from 'node:assert/strict'
import { before, test, type TestContext } from 'node:test'
import type { FileChange } from '../../../src/drivers/driver.ts'
import { until } from '../../support/server.ts'
import { settles } from '../../support/settles.ts'
import { type Part } from '../subject.ts'
import { creates, has, watchInBackground, watchNew } from '../watching.ts'

export const describeWatch: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })
  const shell = (code: string) => subject().shell(id, code)

  const watch = (t: TestContext, directory: string, recursive: boolean) =>
    watchNew(t, subject(), id, { directory, recursive })

  test('watch() reports what is created, changed, deleted and renamed', async (t) => {
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

  test('watch() of a tree covers existing and new directories', async (t) => {
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

  test('watch() reports a file that is written from outside under its own name only', async (t) => {
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
    assert.deepEqual(await settles(done, 'the end of the watch'), [])
  })

  test('watch() ends when its directory is removed', async () => {
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
      await settles(reading, 'the end of the watch')
    } finally {
      controller.abort()
    }
  })

  test('watch() of something missing, or not a directory, is refused', async () => {
    const files = subject().driver.files(id)
    const options = { recursive: false, signal: AbortSignal.timeout(5000) }
    await assert.rejects(Array.fromAsync(files.watch('/nothing', options)), { code: 'not_found' })
    await assert.rejects(Array.fromAsync(files.watch('/etc/passwd', options)), { name: 'CarrelError' })
    await assert.rejects(Array.fromAsync(files.watch('relative', options)), { code: 'invalid_request' })
  })

  test('watch() follows a link at its own path, but none below', async (t) => {
    await shell('mkdir -p /workspace/linked && ln -s linked /workspace/by-link && ln -s /tmp /workspace/linked/out')
    const changes = await watch(t, '/workspace/by-link', true)
    await shell('echo x > /tmp/not-seen; echo x > /workspace/linked/file')
    await has(changes, { type: 'create', path: '/workspace/by-link/file' })
    assert.ok(!changes.some(({ path }) => path.includes('not-seen')))
  })

  test('watch() first reports that it is ready, and then misses nothing', async (t) => {
    await shell('mkdir -p /workspace/ready')
    const controller = new AbortController()
    t.after(() => controller.abort())
    const options = { recursive: true, signal: controller.signal }
    const changes = subject().driver.files(id).watch('/workspace/ready', options)[Symbol.asyncIterator]()
    assert.deepEqual((await changes.next()).value, { type: 'ready', path: '/workspace/ready', directory: true })
    await shell('touch /workspace/ready/one')
    assert.deepEqual((await settles(changes.next())).value, {
      type: 'create',
      path: '/workspace/ready/one',
      directory: false,
    })
  })

  test('watch() reports each of 10,000 files that appear at once, and the writes to them', async (t) => {
    const changes = await watch(t, '/workspace/burst', true)
    await shell('cd /workspace/burst && for name in $(seq -f %05.0f 0 9999); do printf x > $name; done')
    await has(changes, { type: 'modify', path: '/workspace/burst/09999' })
    assert.deepEqual(
      creates(changes).toSorted(),
      Array.from({ length: 10_000 }, (_, index) => `/workspace/burst/${String(index).padStart(5, '0')}`),
    )
    assert.equal(changes.filter(({ type }) => type === 'overflow').length, 0)
  })

  test('watch() reports each file of new directories once, however fast they are filled', async (t) => {
    const changes = await watch(t, '/workspace/race', true)
    await shell(
      'cd /workspace/race && for i in $(seq 60); do mkdir -p d$i/a/b/c; for j in 1 2 3; do echo $j > d$i/a/b/c/$j; done; done; touch last',
    )
    await has(changes, { type: 'create', path: '/workspace/race/last' })
    const wanted = Array.from({ length: 60 }, (_, index) => {
      const top = `/workspace/race/d${index + 1}`
      return [top, `${top}/a`, `${top}/a/b`, `${top}/a/b/c`, ...[1, 2, 3].map((name) => `${top}/a/b/c/${name}`)]
    }).flat()
    assert.deepEqual(creates(changes).toSorted(), [...wanted, '/workspace/race/last'].toSorted())
  })

  test('watch() keeps track of directories that are renamed while they are filled', async (t) => {
    const changes = await watch(t, '/workspace/shuffle', true)
    await shell(
      'cd /workspace/shuffle && for i in $(seq 40); do mkdir -p a/sub; mv a b$i; mkdir -p a/sub; rm -r a; echo x > b$i/sub/file; done; touch last',
    )
    await has(changes, { type: 'create', path: '/workspace/shuffle/last' })
    const { stdout } = await shell('find /workspace/shuffle -mindepth 1')
    assert.deepEqual(followed(changes).toSorted(), stdout.trim().split('\n').toSorted())
  })

  test('watch() pairs old and new names, also for 2000 files and between directories', async (t) => {
    await shell('mkdir -p /workspace/pairs/from /workspace/pairs/to; cd /workspace/pairs/from && touch $(seq 2000)')
    const changes = await watch(t, '/workspace/pairs', true)
    await shell('cd /workspace/pairs/from && mv $(seq 2000) ../to')
    await has(changes, { path: '/workspace/pairs/to/2000' })
    assert.deepEqual(
      changes,
      Array.from({ length: 2000 }, (_, index) => ({
        type: 'rename',
        path: `/workspace/pairs/to/${index + 1}`,
        oldPath: `/workspace/pairs/from/${index + 1}`,
        directory: false,
        replaced: false,
      })),
    )
  })

  test('watch() reports what is moved out as deleted, and what is moved in, with its content, as created', async (t) => {
    await shell('mkdir -p /tmp/elsewhere/in/deep /workspace/moves/out/deep; touch /tmp/elsewhere/in/deep/file')
    const changes = await watch(t, '/workspace/moves', true)
    await shell('mv /workspace/moves/out /tmp/elsewhere/; echo x > /tmp/elsewhere/out/deep/unseen')
    await has(changes, { type: 'delete', path: '/workspace/moves/out', directory: true })
    await shell('mv /tmp/elsewhere/in /workspace/moves/')
    await has(changes, { type: 'create', path: '/workspace/moves/in/deep/file', directory: false })
    await shell('mv /tmp/elsewhere/out /workspace/moves/back; echo y > /workspace/moves/back/deep/seen')
    await has(changes, { type: 'create', path: '/workspace/moves/back/deep/seen' })
    assert.equal(creates(changes).filter((path) => path.endsWith('unseen')).length, 1)
  })

  test('watch() of a directory of the image reports the first writes to it', async (t) => {
    const fresh = await subject().computer(t)
    const controller = new AbortController()
    t.after(() => controller.abort())
    const options = { recursive: true, signal: controller.signal }
    const seen = watchInBackground(subject().driver.files(fresh).watch('/home', options))
    await until(
      () => seen.changes,
      (changes) => changes.some(({ type }) => type === 'ready'),
    )
    await subject().shell(fresh, 'mkdir ~/new && echo x > ~/new/file && echo >> ~/.bashrc')
    await has(seen.changes, { type: 'create', path: '/home/node/new/file' })
    await has(seen.changes, { type: 'modify', path: '/home/node/.bashrc' })
  })

  test('watch() skips directories by name, until they are renamed', async (t) => {
    await shell('mkdir -p /workspace/skip/node_modules/deep /workspace/skip/src')
    const controller = new AbortController()
    t.after(() => controller.abort())
    const skip = (path: string) => path.endsWith('/node_modules')
    const options = { recursive: true, signal: controller.signal, skip }
    const { changes } = watchInBackground(subject().driver.files(id).watch('/workspace/skip', options))
    await has(changes, { type: 'ready' })
    await shell('cd /workspace/skip && touch node_modules/deep/unseen && mkdir -p src/node_modules/a && touch src/b')
    await has(changes, { type: 'create', path: '/workspace/skip/src/b' })
    await shell('cd /workspace/skip && mv node_modules lib && touch lib/deep/seen')
    await has(changes, { type: 'create', path: '/workspace/skip/lib/deep/seen' })
    await shell('cd /workspace/skip && mv src/node_modules src/other && touch src/other/a/seen; mv lib node_modules')
    await has(changes, { type: 'rename', path: '/workspace/skip/node_modules', oldPath: '/workspace/skip/lib' })
    await has(changes, { type: 'create', path: '/workspace/skip/src/other/a/seen' })
    await shell('cd /workspace/skip && touch node_modules/deep/again && touch end')
    await has(changes, { type: 'create', path: '/workspace/skip/end' })
    assert.ok(!changes.some(({ path }) => path.includes('/node_modules/')))
  })

  test('watch() ends when its directory is moved away', async () => {
    await shell('mkdir -p /workspace/leaving')
    const controller = new AbortController()
    const options = { recursive: false, signal: controller.signal }
    const seen: FileChange[] = []
    const reading = (async () => {
      for await (const change of subject().driver.files(id).watch('/workspace/leaving', options)) seen.push(change)
    })()
    await has(seen, { type: 'ready' })
    await shell('mv /workspace/leaving /workspace/left')
    await settles(reading, 'the end of the watch')
    assert.equal(seen.at(-1)?.type, 'gone')
  })

  test('watch() that is not read reports that changes were dropped, and continues', async (t) => {
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
    await shell('cd /workspace/flood && touch $(seq 0 13999)')
    // This watch had as much time to see the changes as the other one, which has seen them.
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
    const count = await settles(
      next(({ type }) => type === 'overflow'),
      'the overflow',
    )
    assert.ok(count > 5000 && count < 14_000, `${count} were kept`)
    await shell('echo > /workspace/flood/after')
    await settles(
      next(({ path }) => path === '/workspace/flood/after'),
      'the change after it',
    )
  })
}

/** Applies changes to an empty set of paths and returns it; asserts that each path is created once before it goes. */
function followed(changes: FileChange[]): string[] {
  const paths = new Set<string>()
  const take = (path: string) => [...paths].filter((each) => each === path || each.startsWith(`${path}/`))
  for (const { type, path, oldPath } of changes) {
    if (type === 'create') {
      assert.ok(!paths.has(path), `${path} is made twice`)
      paths.add(path)
    } else if (type === 'delete') {
      for (const gone of take(path)) paths.delete(gone)
    } else if (type === 'rename') {
      const moved = take(oldPath!)
      for (const each of moved) paths.delete(each)
      for (const each of moved) paths.add(path + each.slice(oldPath!.length))
    }
  }
  return [...paths]
}
