import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import type { CarrelError } from '../../../errors.ts'
import { attribute, command, sendStreamOf, subvolume, type Command } from './fixtures/send-stream.ts'
import { tarOf, type TarEntry } from './fixtures/tar-archive.ts'
import { image, TestPool } from './fixtures/test-pool.ts'
import { feedConfined } from './transfer-program.ts'

const upper: TarEntry = { name: 'upper/', type: '5' }

/** Contents that are to change or read a directory outside of the new snapshot. */
function tarAttacks(outside: string): Record<string, TarEntry[]> {
  const up = `../../../../../../../../..${outside}`
  const write = { content: 'changed' }
  return {
    'a name with dots': [upper, { name: `${up}/new`, ...write }],
    'a name with dots inside the layer': [upper, { name: `upper/${up}/new`, ...write }],
    'an absolute name': [upper, { name: `${outside}/new`, ...write }],
    'a file below an absolute link': [
      upper,
      { name: 'upper/link', type: '2', target: outside },
      { name: 'upper/link/new', ...write },
    ],
    'a file below a relative link': [
      upper,
      { name: 'upper/link', type: '2', target: up },
      { name: 'upper/link/new', ...write },
    ],
    'a file through a link': [
      upper,
      { name: 'upper/link', type: '2', target: `${outside}/kept` },
      { name: 'upper/link', ...write },
    ],
    'a hard link to an absolute name': [
      upper,
      { name: 'upper/hard', type: '1', target: `${outside}/kept` },
      { name: 'upper/hard', ...write },
    ],
    'a hard link with dots': [upper, { name: 'upper/hard', type: '1', target: `${up}/kept` }],
    'an upper layer that is a link': [{ name: 'upper', type: '2', target: outside }],
    'an upper layer that is a file': [{ name: 'upper', ...write }],
    'no upper layer': [{ name: 'other/', type: '5' }],
    'a block device': [upper, { name: 'upper/disk', type: '4', device: [8, 0] }],
    'a character device': [upper, { name: 'upper/memory', type: '3', device: [1, 1] }],
    'the same file twice': [upper, { name: 'upper/file', ...write }, { name: 'upper/file', ...write }],
  }
}

for (const kind of ['directory', 'btrfs'] as const)
  test(`a tar that leads out of its snapshot is refused and changes nothing, on ${kind}`, async (t) => {
    const pool = await TestPool.open(t, kind)
    const before = pool.kept()
    for (const [what, entries] of Object.entries(tarAttacks(pool.outside))) {
      await assert.rejects(pool.import('attack', 'tar', tarOf(entries)), { code: 'invalid_request' }, what)
      assert.equal(pool.kept(), before, what)
      assert.deepEqual([pool.leftovers(), readdirSync(join(pool.directory, 'snapshots'))], [[], []], what)
    }
  })

test('a tar whose headers claim gigabytes is refused before it takes memory', async (t) => {
  const pool = await TestPool.open(t, 'directory')
  for (const type of ['x', 'K', 'L'] as const) {
    const content = tarOf([upper, { name: 'long', type, content: 'x'.repeat(1000), claimedBytes: 8 * 1024 ** 3 - 1 }])
    await assert.rejects(pool.import('attack', 'tar', content), (error: CarrelError) => {
      assert.equal(error.code, 'invalid_request')
      assert.match((error.cause as Error).message, /memory exhausted/)
      return true
    })
    assert.deepEqual([pool.leftovers(), readdirSync(join(pool.directory, 'snapshots'))], [[], []])
  }
})

test('a snapshot that takes too much memory to be packed is refused, and nothing stays of it', async (t) => {
  const pool = await TestPool.open(t, 'directory', { programBytes: 8 * 1024 ** 2 })
  const files = 'for (let i = 0; i < 20000; i++) fs.writeFileSync(i + "n".repeat(240), "")'
  await pool.snapshot('small', 'echo content > file')
  await pool.snapshot('one', `'${process.execPath}' -e '${files}'`)
  assert.ok((await buffer(await pool.transfers.export('small', ['tar']))).length > 1000)
  await assert.rejects(buffer(await pool.transfers.export('one', ['tar'])), { code: 'conflict' })
  assert.deepEqual(pool.leftovers(), [])
})

test('nothing but the upper layer of a tar is kept, and links beside it are not followed', async (t) => {
  const pool = await TestPool.open(t, 'directory')
  const before = pool.kept()
  const beside = ['image', 'work', 'other'].map((name) => ({
    name,
    type: '2' as const,
    target: name === 'image' ? `${pool.outside}/kept` : pool.outside,
  }))
  await pool.import('one', 'tar', tarOf([...beside, upper, { name: 'upper/file', content: 'content' }]))
  const path = pool.volumes.snapshotPath('one')
  assert.equal(pool.kept(), before)
  assert.deepEqual(readdirSync(path).toSorted(), ['image', 'upper', 'work'])
  assert.deepEqual([readFileSync(join(path, 'image'), 'utf8'), readdirSync(join(path, 'work'))], [image, []])
  assert.equal(readFileSync(join(path, 'upper/file'), 'utf8'), 'content')
})

test('a btrfs stream that leads out of its snapshot is refused and changes nothing', async (t) => {
  const pool = await TestPool.open(t, 'btrfs')
  await pool.snapshot('victim', 'echo a secret > secret; sync')
  const shown = execFileSync('btrfs', ['subvolume', 'show', pool.volumes.snapshotPath('victim')], { encoding: 'utf8' })
  const uuid = Buffer.from(/^\s*UUID:\s*(\S+)/m.exec(shown)![1]!.replaceAll('-', ''), 'hex')
  const generation = BigInt(/^\s*Generation:\s*(\d+)/m.exec(shown)![1]!)
  const begin = subvolume('one')
  const end: Command = [command.end]
  const makeFile = (path: string): Command => [command.mkfile, [attribute.path, path], [attribute.inode, 300n]]
  const link = (target: string): Command => [
    command.symlink,
    [attribute.path, 'link'],
    [attribute.inode, 299n],
    [attribute.link, target],
  ]
  const cloneOf = (cloneUuid: Buffer, path: string): Command => [
    command.clone,
    [attribute.offset, 0n],
    [attribute.cloneLength, 4096n],
    [attribute.path, 'file'],
    [attribute.cloneUuid, cloneUuid],
    [attribute.cloneTransid, generation],
    [attribute.clonePath, path],
    [attribute.cloneOffset, 0n],
  ]
  const device: Command = [
    command.mknod,
    [attribute.path, 'disk'],
    [attribute.inode, 300n],
    [attribute.mode, 0o60666n],
    [attribute.rdev, 8n << 8n],
  ]
  const before = pool.kept()
  const attacks: Record<string, Buffer> = {
    'a name with dots': sendStreamOf([begin, makeFile('../../../../outside/new'), end]),
    'a file below an absolute link': sendStreamOf([begin, link(pool.outside), makeFile('link/new'), end]),
    'a file below a relative link': sendStreamOf([begin, link('../../../../outside'), makeFile('link/new'), end]),
    'a clone of another snapshot': sendStreamOf([begin, makeFile('file'), cloneOf(uuid, 'upper/secret'), end]),
    'a clone of a path with dots': sendStreamOf([
      begin,
      makeFile('file'),
      cloneOf(Buffer.alloc(16, 7), '../../../../snapshots/victim/upper/secret'),
      end,
    ]),
    'a block device': sendStreamOf([begin, device, end]),
    'a second subvolume': sendStreamOf([begin, end, subvolume('two'), end]),
    'a second subvolume before the end': sendStreamOf([begin, subvolume('two', Buffer.alloc(16, 8)), end]),
    'a subvolume in another place': sendStreamOf([subvolume('../two'), end]),
    'a snapshot of another subvolume': sendStreamOf([[command.snapshot, [attribute.path, 'one']], end]),
    'no subvolume': sendStreamOf([makeFile('file'), end]),
    'another version': sendStreamOf([begin, end], 2),
    'a command of another version': sendStreamOf([begin, [23, [attribute.path, 'file']], end]),
    'no end': sendStreamOf([begin, makeFile('file')]),
    'more after the end': Buffer.concat([sendStreamOf([begin, end]), Buffer.of(0)]),
    'no upper layer': sendStreamOf([begin, makeFile('file'), end]),
    nothing: Buffer.alloc(0),
  }
  for (const [what, content] of Object.entries(attacks)) {
    await assert.rejects(pool.import('attack', 'btrfs', content), { code: 'invalid_request' }, what)
    assert.equal(pool.kept(), before, what)
    assert.deepEqual([pool.leftovers(), readdirSync(join(pool.directory, 'snapshots'))], [[], ['victim']], what)
  }
  // The streams are refused for what is wrong with them, not for how the test writes them.
  const upperOnly: Command = [4, [attribute.path, 'upper'], [attribute.inode, 300n]]
  await pool.import('honest', 'btrfs', sendStreamOf([begin, upperOnly, end]))
  assert.deepEqual(readdirSync(pool.volumes.snapshotPath('honest')).toSorted(), ['image', 'upper', 'work'])
})

test('the program that unpacks sees programs and its own directory alone, and can write nowhere else', async (t) => {
  const pool = await TestPool.open(t, 'directory')
  const [directory, mountPoint] = [join(pool.directory, 'confined'), join(pool.directory, 'root')]
  for (const path of [directory, mountPoint]) mkdirSync(path)
  const code = `exec > /volume/seen 2>&1
ls /
for path in / /usr /usr/bin /etc /bin; do touch $path/new && echo "wrote $path"; done
mknod /volume/disk b 8 0 && echo made a disk
mknod /volume/gone c 0 0 && echo made a whiteout
ls -d ${pool.directory} ${pool.outside} /proc/1 /dev /root
:`
  async function* nothing(): AsyncGenerator<Buffer> {}
  await feedConfined(['sh', '-c', code], { directory, mountPoint }, nothing(), { signal: new AbortController().signal })
  const seen = readFileSync(join(directory, 'seen'), 'utf8')
  const roots = seen.split('\n').filter((line) => /^\w+$/.test(line))
  assert.deepEqual(
    roots.filter((name) => !/^(?:usr|bin|sbin|lib\w*|etc|volume)$/.test(name)),
    [],
  )
  assert.ok(roots.includes('volume') && roots.includes('usr'), seen)
  assert.doesNotMatch(seen, /wrote|made a disk/)
  assert.match(seen, /made a whiteout/)
  assert.equal(seen.match(/No such file/g)?.length, 5, seen)
})
