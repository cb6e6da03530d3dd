import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileChange } from '../../../drivers/driver.ts'
import { ChangeFilter } from './change-filter.ts'

const create = (path: string, directory = false): FileChange => ({ type: 'create', path: `/w/${path}`, directory })
const rename = (oldPath: string, path: string, more: Partial<FileChange> = {}): FileChange => ({
  type: 'rename',
  path: `/w/${path}`,
  oldPath: `/w/${oldPath}`,
  directory: false,
  replaced: false,
  ...more,
})

/** Of some paths those that are seen. */
const seen = (patterns: ConstructorParameters<typeof ChangeFilter>[1], ...paths: string[]) => {
  const filter = new ChangeFilter('/w', patterns)
  return paths.filter((path) => filter.seen(create(path)) !== undefined)
}

test('without patterns all is seen', () => {
  assert.deepEqual(seen({}, 'a', 'a/b', '.c'), ['a', 'a/b', '.c'])
})

test('a pattern without a slash is for names at any depth', () => {
  assert.deepEqual(seen({ include: ['*.ts'] }, 'a.ts', 'x/y/b.ts', 'c.js'), ['a.ts', 'x/y/b.ts'])
})

test('a pattern with a slash is for paths from the directory on, or from the root', () => {
  assert.deepEqual(seen({ include: ['src/*.ts'] }, 'src/a.ts', 'x/src/a.ts'), ['src/a.ts'])
  assert.deepEqual(seen({ include: ['./src/*.ts'] }, 'src/a.ts'), ['src/a.ts'])
  assert.deepEqual(seen({ include: ['/w/*.ts'] }, 'a.ts', 'x/a.ts'), ['a.ts'])
})

test('what is in an excluded directory is excluded', () => {
  const patterns = { exclude: ['node_modules', 'build/out/', '*.log'] }
  const paths = ['node_modules', 'x/node_modules/a/b', 'build/out/c', 'a.log', 'build/in', 'node_modules2']
  assert.deepEqual(seen(patterns, ...paths), ['build/in', 'node_modules2'])
  const filter = new ChangeFilter('/w', patterns)
  assert.deepEqual([filter.skips('/w/x/node_modules'), filter.skips('/w/build')], [true, false])
})

test('a rename out of view is a delete, one into view a create, or a modify of what it replaced', () => {
  const filter = new ChangeFilter('/w', { include: ['*.ts'] })
  assert.deepEqual(filter.seen(rename('a.ts', 'b.ts')), rename('a.ts', 'b.ts'))
  assert.deepEqual(filter.seen(rename('a.ts', 'a.bak')), { type: 'delete', path: '/w/a.ts', directory: false })
  assert.deepEqual(filter.seen(rename('tmp', 'a.ts')), create('a.ts'))
  assert.deepEqual(filter.seen(rename('tmp', 'a.ts', { replaced: true })), { ...create('a.ts'), type: 'modify' })
  assert.equal(filter.seen(rename('tmp', 'tmp2')), undefined)
})

test('a directory is told when it matches, as a file is', () => {
  const filter = new ChangeFilter('/w', { include: ['*.ts', 'lib'] })
  const gone = (path: string): FileChange => ({ type: 'delete', path: `/w/${path}`, directory: true })
  assert.deepEqual([filter.seen(gone('src')), filter.seen(create('src', true))], [undefined, undefined])
  assert.deepEqual(filter.seen(gone('lib')), gone('lib'))
  assert.equal(filter.seen(rename('src', 'other', { directory: true })), undefined)
  assert.deepEqual(filter.seen(rename('src', 'lib', { directory: true })), create('lib', true))
  assert.deepEqual(filter.seen(rename('lib', 'src', { directory: true })), gone('lib'))
})

test('of one file nothing else is seen', () => {
  const filter = new ChangeFilter('/w', { only: '/w/a' })
  assert.deepEqual(filter.seen(create('a')), create('a'))
  assert.equal(filter.seen(create('b')), undefined)
  assert.deepEqual(filter.seen(rename('b', 'a', { replaced: true })), { ...create('a'), type: 'modify' })
  assert.deepEqual(filter.seen(rename('a', 'b')), { type: 'delete', path: '/w/a', directory: false })
})

test('a directory that is renamed into an excluded name is deleted', () => {
  const filter = new ChangeFilter('/w', { exclude: ['dist'] })
  const change = filter.seen(rename('out', 'dist', { directory: true }))
  assert.deepEqual(change, { type: 'delete', path: '/w/out', directory: true })
})

test('the root can be watched', () => {
  const filter = new ChangeFilter('/', { exclude: ['tmp', 'var/log'] })
  const at = (path: string) => filter.seen({ type: 'create', path, directory: false }) !== undefined
  assert.deepEqual(['/tmp/a', '/var/log/a', '/var/a', '/a'].map(at), [false, false, true, true])
})

test('both kinds of patterns are refused, and so is one that is none, with the field', () => {
  assert.throws(() => new ChangeFilter('/w', { include: ['a'], exclude: [] }), { details: { field: 'include' } })
  assert.throws(() => new ChangeFilter('/w', { exclude: ['a', '[b'] }), { details: { field: 'exclude' } })
})
