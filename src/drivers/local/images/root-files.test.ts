import assert from 'node:assert/strict'
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { emptyRootDirectory, writeRootFile } from './root-files.ts'

test('writeRootFile() follows no link out of the root, neither for the file nor for a directory', async (t) => {
  const directory = await temporaryDirectory(t)
  const [root, outside] = [join(directory, 'root'), join(directory, 'outside')]
  await mkdir(join(root, 'etc'), { recursive: true })
  await mkdir(outside)
  await writeFile(join(outside, 'hosts'), 'of the host')
  await symlink(join(outside, 'hosts'), join(root, 'etc/hosts'))
  await symlink(outside, join(root, 'etc/profile.d'))

  await writeRootFile(root, 'etc/hosts', 'of the guest')
  await writeRootFile(root, 'etc/profile.d/env.sh', 'of the guest')

  assert.equal(await readFile(join(outside, 'hosts'), 'utf8'), 'of the host')
  assert.deepEqual(await readdir(outside), ['hosts'])
  assert.equal(await readFile(join(root, 'etc/hosts'), 'utf8'), 'of the guest')
  assert.equal(await readFile(join(root, 'etc/profile.d/env.sh'), 'utf8'), 'of the guest')
})

test('emptyRootDirectory() empties a directory, and puts one in place of a link', async (t) => {
  const directory = await temporaryDirectory(t)
  const [root, outside] = [join(directory, 'root'), join(directory, 'outside')]
  await mkdir(join(root, 'tmp/deep'), { recursive: true })
  await mkdir(join(outside, 'kept'), { recursive: true })
  await symlink(outside, join(root, 'tmp/deep/link'))
  await symlink(outside, join(root, 'run'))

  await emptyRootDirectory(root, 'tmp', 0o1777)
  await emptyRootDirectory(root, 'run')

  assert.deepEqual(await readdir(join(root, 'tmp')), [])
  assert.equal((await lstat(join(root, 'tmp'))).mode & 0o7777, 0o1777)
  assert.ok((await lstat(join(root, 'run'))).isDirectory())
  assert.deepEqual(await readdir(outside), ['kept'])
})
