import assert from 'node:assert/strict'
import { chmod, chown, link, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { toHostId } from '../system/id-map.ts'
import { run } from '../system/run.ts'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { shiftOwners } from './shift-owners.ts'

test('shiftOwners() changes the owners of all files to their host ids', async (t) => {
  const directory = await temporaryDirectory(t)
  await mkdir(join(directory, 'home/node'), { recursive: true })
  await chown(join(directory, 'home/node'), 1000, 1001)
  await symlink('/etc/passwd', join(directory, 'home/link'))
  const before = await lstat('/etc/passwd')

  await shiftOwners(directory)

  for (const [path, uid, gid] of [
    ['', 0, 0],
    ['home', 0, 0],
    ['home/node', 1000, 1001],
    ['home/link', 0, 0],
  ] as const) {
    const stats = await lstat(join(directory, path))
    assert.deepEqual([stats.uid, stats.gid], [toHostId(uid), toHostId(gid)], path)
  }
  assert.equal((await lstat('/etc/passwd')).uid, before.uid)
})

test('shiftOwners() keeps set-user-ID, set-group-ID and sticky bits', async (t) => {
  const directory = await temporaryDirectory(t)
  for (const [name, mode] of [
    ['sudo', 0o4755],
    ['ssh-agent', 0o2755],
    ['both', 0o6711],
  ] as const) {
    await writeFile(join(directory, name), '')
    await chmod(join(directory, name), mode)
  }
  await mkdir(join(directory, 'mail'))
  await chmod(join(directory, 'mail'), 0o3775)

  await shiftOwners(directory)

  for (const [name, mode] of [
    ['sudo', 0o4755],
    ['ssh-agent', 0o2755],
    ['both', 0o6711],
    ['mail', 0o3775],
  ] as const) {
    assert.equal((await lstat(join(directory, name))).mode & 0o7777, mode, name)
  }
})

test('shiftOwners() drops file capabilities', async (t) => {
  const file = join(await temporaryDirectory(t), 'ping')
  await writeFile(file, '')
  await run('/usr/sbin/setcap', ['cap_net_raw+ep', file])
  await shiftOwners(join(file, '..'))
  assert.equal(await run('/usr/sbin/getcap', [file]), '')
})

test('shiftOwners() removes device nodes', async (t) => {
  const directory = await temporaryDirectory(t)
  await run('mknod', ['--mode=666', join(directory, 'disk'), 'b', '7', '200'])
  await run('mknod', ['--mode=666', join(directory, 'memory'), 'c', '1', '1'])
  await writeFile(join(directory, 'file'), '')
  await shiftOwners(directory)
  assert.deepEqual(await readdir(directory), ['file'])
})

test('shiftOwners() shifts and counts a file with several names once', async (t) => {
  const directory = await temporaryDirectory(t)
  await writeFile(join(directory, 'one'), Buffer.alloc(100_000))
  await link(join(directory, 'one'), join(directory, 'two'))
  const { files, bytes } = await shiftOwners(directory)
  assert.equal((await lstat(join(directory, 'two'))).uid, toHostId(0))
  assert.equal(files, 2)
  assert.ok(bytes >= 100_000 && bytes < 200_000, `${bytes}`)
})

test('shiftOwners() accepts names that are not UTF-8, and maps ids that computers do not have to nobody', async (t) => {
  const directory = await temporaryDirectory(t)
  const file = Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9])])
  await writeFile(file, '')
  await chown(file, 70_000, 4_000_000)
  await shiftOwners(directory)
  const stats = await lstat(file)
  assert.deepEqual([stats.uid, stats.gid], [toHostId(65_534), toHostId(65_534)])
})
