import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runProgram } from '../run-program.js'
import { SetupFailure } from '../setup-failure.js'
import { namesIn } from './data-directory.js'

/**
 * Removes what the computers have on this host: mounts and namespaces, links, firewall table, control groups, the
 * pool's loop device, and the files in /run.
 * @param {import('./data-directory.js').DataDirectory} data
 */
export async function removeTraces(data) {
  for (const target of [...data.mountedBelow(data.mounts), ...data.mountedBelow(data.pool)])
    await attempt(['umount', '--lazy', target])
  for (const name of namesIn('/sys/class/net').filter((name) => name.startsWith(data.interfacePrefix)))
    await attempt(['ip', 'link', 'delete', name])
  await attempt(['nft', 'delete', 'table', 'inet', data.firewallTable])
  await detachPool(data)
  for (const group of data.cgroups) await removeGroup(group)
  await removeShadowedGroup(data)
  rmSync(data.runtime, { recursive: true, force: true })
  const left = [...data.mountedBelow(data.mounts), ...data.mountedBelow(data.pool)]
  if (left.length > 0)
    throw new SetupFailure(`Cannot unmount ${left.join(', ')}: unmount them manually, then run this again.`)
  rmSync(data.mounts, { recursive: true, force: true })
}

/**
 * Detaches the pool's loop device. If another server's mount namespace has a copy of the pool's mount, the kernel
 * detaches the device once that copy is gone too: entering that namespace would mean running its programs.
 * @param {import('./data-directory.js').DataDirectory} data
 */
async function detachPool({ poolImage }) {
  const { output } = await runProgram(['losetup', '--associated', poolImage, '--noheadings', '--output', 'NAME'])
  for (const device of output.split('\n').filter((line) => line.startsWith('/dev/')))
    await attempt(['losetup', '--detach', device.trim()])
}

/**
 * Removes a group, the innermost groups first. The last process of a group may take a moment to disappear. @param
 * {string} group
 */
async function removeGroup(group) {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) await removeGroup(join(group, entry.name))
  for (let tries = 0; tries < 100; tries++) {
    try {
      return rmdirSync(group)
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EBUSY') return
      await delay(20)
    }
  }
}

/**
 * Removes a plain directory that the runtime creates on a host with both versions of control groups, where the tree of
 * version 2 is hidden from it. The directory is visible only while that tree is not mounted.
 * @param {import('./data-directory.js').DataDirectory} data
 */
async function removeShadowedGroup({ cgroup }) {
  const tree = '/sys/fs/cgroup/unified'
  if (!namesIn(tree).includes('cgroup.controllers')) return
  await attempt(['unshare', '--mount', 'sh', '-c', `umount ${tree} && rm -rf ${tree}/${cgroup}`])
}

/** Runs a program and ignores failures, as what does not exist need not be removed. @param {string[]} argv */
async function attempt(argv) {
  await runProgram(argv, { timeoutMs: 30_000 })
}
