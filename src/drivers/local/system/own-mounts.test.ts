import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mountTargets, unneededMounts } from './own-mounts.ts'

test('mounts that are not needed can be unmounted, the innermost first', () => {
  const targets = [
    '/',
    '/proc',
    '/proc/sys/fs/binfmt_misc',
    '/var',
    '/var/lib/other',
    '/mnt',
    '/mnt/disk',
    '/mnt/disk/inner',
    '/srv/data',
    '/srv/data/pool',
    '/run',
    '/run/media/stick',
    '/tmp',
    '/opt/tools',
    '/opt/tools-of-others',
  ]
  const needed = { trees: ['/proc', '/srv/data'], folders: ['/run', '/tmp', '/var/lib', '/opt/tools/bin'] }
  assert.deepEqual(unneededMounts(targets, needed), [
    '/opt/tools-of-others',
    '/run/media/stick',
    '/mnt/disk/inner',
    '/mnt/disk',
    '/mnt',
    '/var/lib/other',
  ])
})

test('mount points with blanks in their names are found', () => {
  const line = String.raw`41 27 7:0 / /mnt/my\040disk rw,relatime shared:3 - ext4 /dev/loop0 rw`
  assert.deepEqual(mountTargets(`${line}\n`), ['/mnt/my disk'])
})
