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

/** Returns those of some paths whose creation is visible. */
const visible = (patterns: ConstructorParameters<typeof ChangeFilter>[1], ...paths: string[]) => {
  const filter = new ChangeFilter('/w', patterns)
  return paths.filter((path) => filter.apply(create(path)) !== undefined)
}

test('without patterns everything is visible', () => {
  assert.deepEqual(visible({}, 'a', 'a/b', '.c'), ['a', 'a/b', '.c'])
})

test('a pattern without a slash matches names at any depth', () => {
  assert.deepEqual(visible({ include: ['*.ts'] }, 'a.ts', 'x/y/b.ts', 'c.js'), ['a.ts', 'x/y/b.ts'])
})

test('a pattern with a slash matches paths from the directory on, or from the root', () => {
  assert.deepEqual(visible({ include: ['src/*.ts'] }, 'src/a.ts', 'x/src/a.ts'), ['src/a.ts'])
  assert.deepEqual(visible({ include: ['./src/*.ts'] }, 'src/a.ts'), ['src/a.ts'])
  assert.deepEqual(visible({ include: ['/w/*.ts'] }, 'a.ts', 'x/a.ts'), ['a.ts'])
})

test('what is in an excluded directory is excluded', () => {
  const patterns = { exclude: ['node_modules', 'build/out/', '*.log'] }
  const paths = ['node_modules', 'x/node_modules/a/b', 'build/out/c', 'a.log', 'build/in', 'node_modules2']
  assert.deepEqual(visible(patterns, ...paths), ['build/in', 'node_modules2'])
  const filter = new ChangeFilter('/w', patterns)
  assert.deepEqual([filter.skips('/w/x/node_modules'), filter.skips('/w/build')], [true, false])
})

test('a rename out of view is a delete; one into view is a create, or a modify of the file that it replaces', () => {
  const filter = new ChangeFilter('/w', { include: ['*.ts'] })
  assert.deepEqual(filter.apply(rename('a.ts', 'b.ts')), rename('a.ts', 'b.ts'))
  assert.deepEqual(filter.apply(rename('a.ts', 'a.bak')), { type: 'delete', path: '/w/a.ts', directory: false })
  assert.deepEqual(filter.apply(rename('tmp', 'a.ts')), create('a.ts'))
  assert.deepEqual(filter.apply(rename('tmp', 'a.ts', { replaced: true })), { ...create('a.ts'), type: 'modify' })
  assert.equal(filter.apply(rename('tmp', 'tmp2')), undefined)
})

test('a directory is reported when it matches, as a file is', () => {
  const filter = new ChangeFilter('/w', { include: ['*.ts', 'lib'] })
  const gone = (path: string): FileChange => ({ type: 'delete', path: `/w/${path}`, directory: true })
  assert.deepEqual([filter.apply(gone('src')), filter.apply(create('src', true))], [undefined, undefined])
  assert.deepEqual(filter.apply(gone('lib')), gone('lib'))
  assert.equal(filter.apply(rename('src', 'other', { directory: true })), undefined)
  assert.deepEqual(filter.apply(rename('src', 'lib', { directory: true })), create('lib', true))
  assert.deepEqual(filter.apply(rename('lib', 'src', { directory: true })), gone('lib'))
})

test('a watch of one file shows nothing else', () => {
  const filter = new ChangeFilter('/w', { only: '/w/a' })
  assert.deepEqual(filter.apply(create('a')), create('a'))
  assert.equal(filter.apply(create('b')), undefined)
  assert.deepEqual(filter.apply(rename('b', 'a', { replaced: true })), { ...create('a'), type: 'modify' })
  assert.deepEqual(filter.apply(rename('a', 'b')), { type: 'delete', path: '/w/a', directory: false })
})

test('a directory that is renamed into an excluded name is deleted', () => {
  const filter = new ChangeFilter('/w', { exclude: ['dist'] })
  const change = filter.apply(rename('out', 'dist', { directory: true }))
  assert.deepEqual(change, { type: 'delete', path: '/w/out', directory: true })
})

test('the root can be watched', () => {
  const filter = new ChangeFilter('/', { exclude: ['tmp', 'var/log'] })
  const at = (path: string) => filter.apply({ type: 'create', path, directory: false }) !== undefined
  assert.deepEqual(['/tmp/a', '/var/log/a', '/var/a', '/a'].map(at), [false, false, true, true])
})

test('both kinds of patterns together are refused, and so is an invalid pattern, with the field', () => {
  assert.throws(() => new ChangeFilter('/w', { include: ['a'], exclude: [] }), { details: { field: 'include' } })
  assert.throws(() => new ChangeFilter('/w', { exclude: ['a', '[b'] }), { details: { field: 'exclude' } })
})
