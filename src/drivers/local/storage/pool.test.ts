import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openPool } from './pool.ts'

/** Returns a new data directory, in which nothing is left mounted after the test. */
function dataDirectory(t: TestContext): string {
  const directory = mkdtempSync('/var/tmp/carrel-pool-')
  t.after(() => {
    spawnSync('umount', [join(directory, 'pool')])
    for (const device of devicesOf(join(directory, 'pool.img'))) execFileSync('losetup', ['-d', device])
    rmSync(directory, { recursive: true })
  })
  return directory
}

function devicesOf(file: string): string[] {
  if (!existsSync(file)) return []
  const names = execFileSync('losetup', ['-j', file, '-n', '-O', 'NAME'], { encoding: 'utf8' })
  return names.split('\n').filter((name) => name !== '')
}

/** Puts a program before the others of its name, for one test. */
function replaceProgram(t: TestContext, name: string, script: string): void {
  const directory = mkdtempSync('/var/tmp/carrel-programs-')
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(directory, name), 0o755)
  const path = process.env.PATH
  process.env.PATH = `${directory}${delimiter}${path}`
  t.after(() => {
    process.env.PATH = path
    rmSync(directory, { recursive: true })
  })
}

test('a first attempt that fails leaves nothing, and is repeated', async (t) => {
  const usual = await openPool(dataDirectory(t))
  if (usual.storage.kind !== 'btrfs') return t.skip(usual.limitations.join(' '))
  const directory = dataDirectory(t)
  const failed = join(directory, 'failed')
  replaceProgram(
    t,
    'mkfs.btrfs',
    `[ -e ${failed} ] || { touch ${failed}; echo try later >&2; exit 1; }\nPATH=\${PATH#*:} exec mkfs.btrfs "$@"`,
  )
  const { storage, isInFile } = await openPool(directory)
  assert.ok(existsSync(failed))
  assert.deepEqual([storage.kind, storage.quota, isInFile], ['btrfs', usual.storage.quota, true])
  assert.equal(devicesOf(join(directory, 'pool.img')).length, 1)
})

test('an attempt that cannot be mounted is repeated on another device, and no device stays attached', async (t) => {
  const directory = dataDirectory(t)
  const used = join(directory, 'used')
  // What is written over the start of the device keeps it from being mounted.
  replaceProgram(
    t,
    'losetup',
    `PATH=\${PATH#*:}
case "$*" in *--find*)
  device=$(losetup "$@"); echo $device >> ${used}; dd if=/dev/zero of=$device bs=1M count=1 conv=fsync; echo $device;;
*) exec losetup "$@";; esac`,
  )
  const { storage, limitations } = await openPool(directory)
  assert.equal(storage.kind, 'directory')
  assert.match(limitations.join(), /\(\/dev\/loop\d+: mount: EINVAL/)
  const devices = readFileSync(used, 'utf8').trim().split('\n')
  assert.ok(devices.length > 1 && new Set(devices).size === devices.length)
  const attached = execFileSync('losetup', ['-n', '-O', 'BACK-FILE'], { encoding: 'utf8' })
  assert.ok(!attached.includes(directory), attached)
})

test('where no file system can be made, the pool is plain directories for good, and says why', async (t) => {
  const directory = dataDirectory(t)
  replaceProgram(t, 'mkfs.btrfs', 'echo not on this host >&2; exit 1')
  const first = await openPool(directory)
  assert.equal(first.storage.kind, 'directory')
  assert.match(first.limitations.join(), /not on this host\), so disk limits are not enforced/)
  assert.ok(!existsSync(join(directory, 'pool.img')) && !existsSync(join(directory, 'pool.img.new')))
  assert.deepEqual(await openPool(directory), first)
})

test('a file system that cannot be mounted leaves plain directories too', async (t) => {
  const directory = dataDirectory(t)
  replaceProgram(t, 'losetup', 'case "$*" in *--find*) echo no loop devices >&2; exit 1;; esac')
  const { storage, limitations } = await openPool(directory)
  assert.equal(storage.kind, 'directory')
  assert.match(limitations.join(), /no loop devices/)
  assert.ok(!existsSync(join(directory, 'pool.img')))
})

test('a pool with content that cannot be mounted is never replaced', async (t) => {
  const directory = dataDirectory(t)
  writeFileSync(join(directory, 'pool.img'), 'damaged')
  await assert.rejects(openPool(directory), { code: 'unavailable' })
  assert.equal(readFileSync(join(directory, 'pool.img'), 'utf8'), 'damaged')
})
