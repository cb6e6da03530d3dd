import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { archiveOf, type Content } from '../../../../../test/environments/fixtures/archive.ts'
import { openUpload } from './open-upload.ts'

const root = mkdtempSync(join(tmpdir(), 'carrel-unpack-'))
after(() => rmSync(root, { recursive: true }))

const bounds = { maxBytes: 1024 ** 2, maxEntries: 20, reserveBytes: 0 }

/** Puts an upload into a new folder, and returns the folder. */
async function opened(upload: Buffer): Promise<string> {
  const folder = mkdtempSync(join(root, 'upload-'))
  writeFileSync(join(folder, 'file'), upload)
  await openUpload(join(folder, 'file'), join(folder, 'tree'), bounds)
  return join(folder, 'tree')
}

test('files, folders, links and second names are unpacked, without special bits', async () => {
  const files: Record<string, Content> = {
    './a/run.sh': { content: 'echo', mode: 0o4755 },
    'a/again.sh': { type: 'Link', target: 'a/run.sh' },
    'a/link': { type: 'SymbolicLink', target: '../b/text' },
    'b/text': { content: 'text', mode: 0o666 },
    'empty/': { type: 'Directory' },
  }
  for (const upload of [archiveOf(files), gzipSync(archiveOf(files)), zstdCompressSync(archiveOf(files))]) {
    const tree = await opened(upload)
    const mode = (path: string) => (statSync(join(tree, path)).mode & 0o7777).toString(8)
    assert.deepEqual(['a/run.sh', 'a/again.sh', 'b/text'].map(mode), ['555', '555', '444'])
    assert.equal(readlinkSync(join(tree, 'a/link')), '../b/text')
    assert.equal(readFileSync(join(tree, 'a/link'), 'utf8'), 'text')
    assert.ok(statSync(join(tree, 'empty')).isDirectory())
    assert.equal(statSync(join(tree, 'a/again.sh')).nlink, 1)
  }
})

test('archives of GNU tar with attributes are read, also long names that are not ASCII', async () => {
  const source = join(root, 'source')
  const path = `${'folder-ü/'.repeat(15)}file`
  mkdirSync(join(source, path, '..'), { recursive: true })
  writeFileSync(join(source, path), 'deep')
  for (const format of ['posix', 'gnu', 'pax']) {
    const tree = await opened(execFileSync('tar', [`--format=${format}`, '-czf', '-', '-C', source, '.']))
    assert.equal(readFileSync(join(tree, path), 'utf8'), 'deep')
  }
})

test('what is hostile is refused by its name', async () => {
  const file = (path: string): Record<string, Content> => ({ [path]: 'x' })
  const link = (target: string, more: Record<string, Content> = {}): Record<string, Content> => ({
    'a/link': { type: 'SymbolicLink', target },
    ...more,
  })
  const hostile: [upload: Buffer, message: RegExp][] = [
    [archiveOf(file('../x')), /leads out of it: "\.\.\/x"/],
    [archiveOf(file('a/../../x')), /leads out/],
    [archiveOf(file('/etc/x')), /leads out of it: "\/etc\/x"/],
    [archiveOf(file(`${'a/'.repeat(600)}x`)), /a path of 1201 bytes/],
    [archiveOf(file('y'.repeat(300))), /a name of more than 255 bytes/],
    [archiveOf(link('/etc/passwd')), /a link that leads out of it: "a\/link"/],
    [archiveOf(link('../../x')), /a link that leads out/],
    [archiveOf(link('../b', { 'a/link/x': 'through' })), /two entries for "a\/link"/],
    [archiveOf({ ...file('a'), './a': 'again' }), /two entries for "a"/],
    [archiveOf({ a: { type: 'Link', target: '../../etc/passwd' } }), /leads out/],
    [archiveOf({ a: { type: 'Link', target: 'b' }, b: 'later' }), /a link to what is not a file before it: "a"/],
    [archiveOf(link('x', { b: { type: 'Link', target: 'a/link' } })), /what is not a file/],
    [archiveOf(Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`f${at}`, '']))), /more than 20 files/],
    [gzipSync(archiveOf({ bomb: '\0'.repeat(2 * 1024 ** 2) })), /unpacks to more than 1048576 bytes/],
    [gzipSync(Buffer.concat([archiveOf({}), Buffer.alloc(2 * 1024 ** 2)])), /unpacks to more than/],
    [gzipSync(archiveOf(file('a'))).subarray(0, 60), /the archive cannot be read/],
    [archiveOf(file('a')).subarray(0, 600), /the data are incomplete/],
    [Buffer.from('hello, this is no archive'.repeat(50)), /the data are not a tar stream/],
    [Buffer.from('PK\u0003\u0004'.padEnd(600)), /is a zip archive/],
    [Buffer.alloc(0), /is empty/],
    [execFileSync('tar', ['-cf', '-', '-C', '/dev', 'null']), /Cannot unpack "null": it is a device or a pipe/],
  ]
  for (const [upload, message] of hostile) await assert.rejects(opened(upload), { name: 'TaskProblem', message })
})
