import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import type { ComputerFiles, FileInfo, ListOptions } from '../../../src/drivers/driver.ts'
import { smallLimits, type Part } from '../subject.ts'

const MiB = 1024 * 1024
const options = { maxBytes: 64 * MiB }
const whole = { limit: 10_000, maxBytes: 64 * MiB }

export const describeFiles: Part = (subject) => {
  for (const state of ['running', 'stopped'] as const) {
    describe(`in a computer that is ${state}`, () => {
      let id: string
      let files: ComputerFiles
      before(async () => {
        id = await subject().computer()
        if (state === 'stopped') await subject().driver.stop(id, 0)
        files = subject().driver.files(id)
      })
      describeOperations(() => files)
    })
  }

  test('the computer sees what the host writes, owned by its user, and vice versa', async (t) => {
    const id = await subject().computer(t)
    const files = subject().driver.files(id)
    await files.write('/workspace/new/deep/file', Buffer.from('from outside'), options)
    const { stdout } = await subject().shell(
      id,
      'cd /workspace/new; cat deep/file; stat -c "%U:%G %a" . deep deep/file; echo more >> deep/file; echo x > deep/own',
    )
    assert.equal(stdout, 'from outsidenode:node 755\nnode:node 755\nnode:node 644\n')
    assert.equal(await read(files, '/workspace/new/deep/file'), 'from outsidemore\n')
    assert.equal(await read(files, '/workspace/new/deep/own'), 'x\n')
  })

  test('an overwritten file keeps its owner and mode, unless another mode is given', async (t) => {
    const id = await subject().computer(t)
    const files = subject().driver.files(id)
    await subject().shell(id, 'echo old > /etc/own; chown 33:44 /etc/own; chmod 4750 /etc/own', { user: 'root' })
    await files.write('/etc/own', Buffer.from('new'), options)
    assert.deepEqual(pick(await files.stat('/etc/own')), { uid: 33, gid: 44, mode: 0o4750, sizeBytes: 3 })
    await files.write('/etc/own', Buffer.from('newer'), { ...options, mode: 0o600 })
    assert.deepEqual(pick(await files.stat('/etc/own')), { uid: 33, gid: 44, mode: 0o600, sizeBytes: 5 })
  })

  test('a full disk refuses a file, keeps the old one, and leaves no partial file', async (t) => {
    if (!subject().driver.capabilities.diskQuota) return t.skip('no disk limits here')
    const id = await subject().computer(t, { limits: { ...smallLimits, diskBytes: 32 * MiB } })
    const files = subject().driver.files(id)
    await files.write('/workspace/file', Buffer.from('old'), options)
    await assert.rejects(files.write('/workspace/file', randomBytes(40 * MiB), options), { code: 'disk_full' })
    assert.equal(await read(files, '/workspace/file'), 'old')
    assert.deepEqual(
      (await files.list('/workspace', whole)).entries.map(({ name }) => name),
      ['file'],
    )
    await files.write('/workspace/other', Buffer.from('there is room again'), options)
  })

  test('a name that is not UTF-8 is listed with replacement characters and its bytes, and can be removed', async (t) => {
    const id = await subject().computer(t)
    await subject().shell(
      id,
      "cd /workspace && mkdir bytes && cd bytes && echo x > $'a\\xff' && echo y > ä && ln -s ä $'z\\xfe'",
    )
    const { entries: infos } = await subject().driver.files(id).list('/workspace/bytes', whole)
    assert.deepEqual(
      infos.map(({ name, nameBytes, path, type, sizeBytes }) => [
        name,
        nameBytes?.toString('latin1'),
        path,
        type,
        sizeBytes,
      ]),
      [
        ['a\ufffd', 'a\xff', '/workspace/bytes/a\ufffd', 'file', 2],
        ['z\ufffd', 'z\xfe', '/workspace/bytes/z\ufffd', 'symlink', 2],
        ['ä', undefined, '/workspace/bytes/ä', 'file', 2],
      ],
    )
    await subject().driver.files(id).remove('/workspace/bytes', { recursive: true })
    await assert.rejects(subject().driver.files(id).stat('/workspace/bytes'), { code: 'not_found' })
  })

  test('list() returns all of 10,000 files, sorted, in pages of any size', async (t) => {
    const id = await subject().computer(t)
    await subject().shell(
      id,
      `mkdir /workspace/many && cd /workspace/many && touch $(seq -f %05.0f 0 9989) && mkdir '~'
       for i in 0 1 2 3 4 5 6 7 8; do ln -s "$(printf 'x%.0s' $(seq 3000))" $'z\\xff'$i; done`,
    )
    const files = subject().driver.files(id)
    const { entries, next } = await files.list('/workspace/many', whole)
    const names = entries.map(({ name }) => name)
    assert.deepEqual([names.length, next, names], [10_000, undefined, names.toSorted()])
    assert.deepEqual(
      [entries[5]?.path, entries[5]?.type, entries.at(-2)?.target?.length, entries.at(-1)?.type],
      ['/workspace/many/00005', 'file', 3000, 'directory'],
    )
    assert.equal(entries.at(-2)?.nameBytes?.toString('latin1'), 'z\xff8')
    assert.deepEqual(await pages(files, '/workspace/many', { ...whole, limit: 3001 }), entries)
    assert.deepEqual(await pages(files, '/workspace/many', { ...whole, maxBytes: 500_000 }), entries)
    await files.remove('/workspace/many', { recursive: true })
    await assert.rejects(files.stat('/workspace/many'), { code: 'not_found' })
  })

  test('list() of a small directory is paged too', async (t) => {
    const id = await subject().computer(t)
    await subject().shell(id, 'mkdir /workspace/few && cd /workspace/few && touch {1..150}')
    const files = subject().driver.files(id)
    const { entries } = await files.list('/workspace/few', whole)
    assert.equal(entries.length, 150)
    for (const limit of [1, 64, 75, 149]) {
      const { entries: first, next } = await files.list('/workspace/few', { ...whole, limit })
      assert.deepEqual([first.length, next?.toString()], [limit, first.at(-1)?.name])
      assert.deepEqual(await pages(files, '/workspace/few', { ...whole, limit }), entries)
    }
    assert.equal((await files.list('/workspace/few', { ...whole, limit: 150 })).next, undefined)
    assert.ok((await files.list('/workspace/few', { ...whole, maxBytes: 1 })).next)
  })
}

/** Lists all entries, page by page. */
async function pages(files: ComputerFiles, path: string, options: ListOptions): Promise<FileInfo[]> {
  const found: FileInfo[] = []
  for (let after: Buffer | undefined; ;) {
    const { entries, next } = await files.list(path, { ...options, after })
    found.push(...entries)
    if (!next) return found
    after = next
  }
}

function describeOperations(files: () => ComputerFiles): void {
  test('read() returns every byte that write() stored; parents are created', async () => {
    const data = randomBytes(3 * MiB)
    assert.deepEqual(await files().write('/workspace/a/b/c/file', data, options), { sizeBytes: data.length })
    const { info, stream } = await files().read('/workspace/a/b/c/file')
    assert.ok((await buffer(stream)).equals(data))
    assert.deepEqual([info.type, info.sizeBytes, info.mode], ['file', data.length, 0o644])
    assert.deepEqual([info.uid, info.gid], [1000, 1000])
    for (const path of ['/workspace/a', '/workspace/a/b'])
      assert.deepEqual([(await files().stat(path)).uid, (await files().stat(path)).type], [1000, 'directory'])
  })

  test('write() accepts a stream, an empty file, a mode and a name of any characters', async () => {
    const chunks = Readable.from([Buffer.from('one '), Buffer.from('two')])
    assert.deepEqual(await files().write('/workspace/stream', chunks, options), { sizeBytes: 7 })
    assert.equal(await read(files(), '/workspace/stream'), 'one two')
    await files().write('/workspace/empty', Buffer.alloc(0), { ...options, mode: 0o750 })
    assert.equal(await read(files(), '/workspace/empty'), '')
    assert.equal((await files().stat('/workspace/empty')).mode, 0o750)
    for (const name of ['with space', 'ü☃😀', '-n', '*?', 'new\nline', '"\'', '...', 'x'.repeat(255)]) {
      await files().write(`/workspace/names/${name}`, Buffer.from(name), options)
      assert.equal(await read(files(), `/workspace/names/${name}`), name)
    }
    assert.equal((await files().list('/workspace/names', whole)).entries.length, 8)
  })

  test('a stream that fails keeps the old file, and leaves no partial file', async () => {
    await files().write('/workspace/broken/file', Buffer.from('old'), options)
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('half')
        throw new Error('the client is gone')
      })(),
    )
    await assert.rejects(files().write('/workspace/broken/file', failing, options), /the client is gone/)
    assert.equal(await read(files(), '/workspace/broken/file'), 'old')
    assert.equal((await files().list('/workspace/broken', whole)).entries.length, 1)
  })

  test('a file that is too large is refused, keeps the old one, and leaves no partial file', async () => {
    await files().write('/workspace/large/file', Buffer.from('old'), options)
    const chunks = Readable.from([Buffer.alloc(600), Buffer.alloc(600)])
    await assert.rejects(files().write('/workspace/large/file', chunks, { maxBytes: 1000 }), { code: 'too_large' })
    await assert.rejects(files().write('/workspace/large/file', Buffer.alloc(1001), { maxBytes: 1000 }), {
      code: 'too_large',
    })
    assert.equal(await read(files(), '/workspace/large/file'), 'old')
    assert.equal((await files().list('/workspace/large', whole)).entries.length, 1)
    await files().write('/workspace/large/file', Buffer.alloc(1000), { maxBytes: 1000 })
  })

  test('open() reads into buffers at any position, and returns 0 beyond the end', async () => {
    await files().write('/workspace/opened', Buffer.from('0123456789'), options)
    const file = await files().open('/workspace/opened')
    try {
      const into = Buffer.alloc(6)
      assert.deepEqual([file.info.name, file.info.sizeBytes], ['opened', 10])
      assert.equal(await file.read(into, 2), 6)
      assert.equal(into.toString(), '234567')
      assert.equal(await file.read(into, 8), 2)
      assert.equal(into.toString('latin1', 0, 2), '89')
      assert.equal(await file.read(into, 10), 0)
    } finally {
      file.close()
    }
    await assert.rejects(files().open('/workspace'), { code: 'invalid_request' })
    await assert.rejects(files().open('/nothing'), { code: 'not_found' })
  })

  test('read() returns a range', async () => {
    await files().write('/workspace/range', Buffer.from('0123456789'), options)
    const range = async (start: number, end: number) =>
      text((await files().read('/workspace/range', { start, end })).stream)
    assert.equal(await range(0, 4), '0123')
    assert.equal(await range(3, 4), '3')
    assert.equal(await range(4, 10), '456789')
    assert.equal(await range(8, 1000), '89')
    assert.equal(await range(0, 0), '')
    assert.equal(await range(5, 5), '')
    assert.equal(await range(10, 20), '')
    assert.equal(await range(50, 60), '')
  })

  test('list() describes each entry without following it', async () => {
    await files().write('/workspace/list/file', Buffer.from('12345'), options)
    await files().makeDirectory('/workspace/list/directory')
    const { entries } = await files().list('/workspace/list', whole)
    assert.deepEqual(
      entries.map(({ name, path, type }) => ({ name, path, type })),
      [
        { name: 'directory', path: '/workspace/list/directory', type: 'directory' },
        { name: 'file', path: '/workspace/list/file', type: 'file' },
      ],
    )
    assert.equal(entries[1]!.sizeBytes, 5)
    assert.ok(Math.abs(entries[1]!.modifiedAtMs - Date.now()) < 60_000)
    assert.deepEqual(await files().list('/workspace/list/directory', whole), { entries: [] })
    assert.ok((await files().list('/', whole)).entries.some(({ path }) => path === '/etc'))
  })

  test('makeDirectory() creates parents, and may be repeated', async () => {
    await files().makeDirectory('/workspace/m/n/o')
    await files().makeDirectory('/workspace/m/n/o')
    assert.deepEqual(pick(await files().stat('/workspace/m/n/o')).uid, 1000)
    await files().write('/workspace/m/file', Buffer.from('x'), options)
    await assert.rejects(files().makeDirectory('/workspace/m/file'), { name: 'CarrelError' })
    await assert.rejects(files().makeDirectory('/workspace/m/file/below'), { name: 'CarrelError' })
  })

  test('remove() removes a file, an empty directory, and a full one when recursive', async () => {
    await files().write('/workspace/r/s/file', Buffer.from('x'), options)
    await assert.rejects(files().remove('/workspace/r', { recursive: false }), { code: 'conflict' })
    await files().remove('/workspace/r/s/file', { recursive: false })
    await files().remove('/workspace/r/s', { recursive: false })
    await files().write('/workspace/r/s/file', Buffer.from('x'), options)
    await files().remove('/workspace/r', { recursive: true })
    await assert.rejects(files().stat('/workspace/r'), { code: 'not_found' })
    await assert.rejects(files().remove('/workspace/r', { recursive: true }), { code: 'not_found' })
  })

  test('move() moves a file or directory to a new name, and creates its parents', async () => {
    await files().write('/workspace/from/file', Buffer.from('moved'), options)
    await files().move('/workspace/from', '/workspace/to/deep/there')
    assert.equal(await read(files(), '/workspace/to/deep/there/file'), 'moved')
    await assert.rejects(files().stat('/workspace/from'), { code: 'not_found' })
    await files().write('/workspace/over', Buffer.from('old'), options)
    await files().move('/workspace/to/deep/there/file', '/workspace/over')
    assert.equal(await read(files(), '/workspace/over'), 'moved')
    await assert.rejects(files().move('/workspace/nothing', '/workspace/x'), { code: 'not_found' })
    await assert.rejects(files().move('/workspace/to', '/workspace/to/below'), { code: 'invalid_request' })
  })

  test('a directory in place of a file, and a file in place of a directory, are reported as such', async () => {
    await files().makeDirectory('/workspace/d')
    await files().write('/workspace/f', Buffer.from('x'), options)
    await assert.rejects(files().read('/workspace/d'), { code: 'invalid_request' })
    await assert.rejects(files().write('/workspace/d', Buffer.from('x'), options), { code: 'invalid_request' })
    await assert.rejects(files().list('/workspace/f', whole), { code: 'invalid_request' })
    await assert.rejects(files().read('/workspace/f/below'), { code: 'not_found' })
    await assert.rejects(files().write('/workspace/f/below', Buffer.from('x'), options), { name: 'CarrelError' })
    for (const call of [files().stat('/nothing'), files().read('/nothing'), files().list('/nothing', whole)])
      await assert.rejects(call, { code: 'not_found' })
  })
}

async function read(files: ComputerFiles, path: string): Promise<string> {
  return text((await files.read(path)).stream)
}

function pick({ uid, gid, mode, sizeBytes }: Awaited<ReturnType<ComputerFiles['stat']>>) {
  return { uid, gid, mode, sizeBytes }
}
