import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { decodeHeader, encodeHeader } from './tar-header.ts'
import { endOfArchive } from './tar-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'carrel-tar-'))
after(() => rmSync(folder, { recursive: true }))

const entry = {
  kind: 'File' as const,
  path: Buffer.from('file'),
  target: Buffer.alloc(0),
  mode: 0o640,
  mtime: new Date('2026-01-26T10:00:00Z'),
  size: 0,
}

test('GNU tar lists what is encoded, also numbers that have no octal digits left', () => {
  const entries = [
    entry,
    { ...entry, kind: 'Directory' as const, path: Buffer.from('folder'), mode: 0o755 },
    { ...entry, kind: 'SymbolicLink' as const, path: Buffer.from('link'), target: Buffer.from('file') },
    { ...entry, kind: 'Link' as const, path: Buffer.from('again'), target: Buffer.from('file') },
    { ...entry, path: Buffer.from('ancient'), mtime: new Date('1900-01-01T00:00:00Z') },
    { ...entry, path: Buffer.from('distant'), mtime: new Date('2400-01-01T00:00:00Z') },
  ]
  const input = Buffer.concat([...entries.map(encodeHeader), endOfArchive])
  const argv = ['-tv', '--utc', '--full-time', '--numeric-owner', '-f', '-']
  const lines = execFileSync('tar', argv, { input, encoding: 'utf8' }).trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => line.replaceAll(/ +/g, ' ')),
    [
      '-rw-r----- 0/0 0 2026-01-26 10:00:00 file',
      'drwxr-xr-x 0/0 0 2026-01-26 10:00:00 folder',
      'lrw-r----- 0/0 0 2026-01-26 10:00:00 link -> file',
      'hrw-r----- 0/0 0 2026-01-26 10:00:00 again link to file',
      '-rw-r----- 0/0 0 1900-01-01 00:00:00 ancient',
      '-rw-r----- 0/0 0 2400-01-01 00:00:00 distant',
    ],
  )
})

test('a header of GNU tar is decoded, also that of a file of 10 GiB from before 1970', () => {
  const bytes = 10 * 1024 ** 3
  writeFileSync(join(folder, 'large'), '')
  truncateSync(join(folder, 'large'), bytes)
  utimesSync(join(folder, 'large'), new Date(-1_000_000_000), new Date(-1_000_000_000))
  mkdirSync(join(folder, 'empty'), 0o750)
  symlinkSync('large', join(folder, 'link'))
  // Its content is not read: a pipe ends tar after the header.
  const head = (name: string) =>
    execFileSync('bash', ['-c', 'tar --format=gnu -cf - -C "$1" "$2" 2>/dev/null | head -c 512', '', folder, name])
  const large = decodeHeader(head('large'))
  assert.deepEqual([large?.kind, large?.path.toString(), large?.size], ['File', 'large', bytes])
  assert.equal(large?.mtime.getTime(), -1_000_000_000)
  const empty = decodeHeader(head('empty'))
  assert.deepEqual([empty?.kind, empty?.mode, empty?.mtime], ['Directory', 0o750, wholeSeconds(join(folder, 'empty'))])
  const link = decodeHeader(head('link'))
  assert.deepEqual([link?.kind, link?.target.toString()], ['SymbolicLink', 'large'])
})

test('zeros are the end, and anything but a header is refused', () => {
  assert.equal(decodeHeader(Buffer.alloc(512)), undefined)
  const damaged = encodeHeader(entry)
  damaged[0] = 0
  const negative = encodeHeader({ ...entry, size: -1 })
  for (const block of [damaged, negative, Buffer.alloc(512, 'text')])
    assert.throws(() => decodeHeader(block), /the data are not a tar stream/)
})

function wholeSeconds(path: string): Date {
  return new Date(Math.floor(statSync(path).mtimeMs / 1000) * 1000)
}
