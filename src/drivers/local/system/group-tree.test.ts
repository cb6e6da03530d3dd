import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { test } from 'node:test'
import { groupTree } from './group-tree.ts'

/** Returns the options of the host's mount of the tree, where it has one. */
function hostOptions(): string[] | undefined {
  const [, options] = / - cgroup2 \S+ (\S+)$/m.exec(readFileSync('/proc/1/mountinfo', 'latin1')) ?? []
  return options?.split(',')
}

test('the tree has no mount point, has the groups of the host, and keeps the options of its mount', () => {
  const before = hostOptions()
  const tree = groupTree()
  assert.ok(tree !== undefined && existsSync(`${tree}/cgroup.procs`))
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'latin1'), /carrel.* - cgroup2/)
  if (!before) return
  const now = hostOptions()!
  for (const option of before) assert.ok(now.includes(option), `${option} is not among ${now.join()}`)
})

test('processes move between groups without delay, from Linux 6.0 on', (t) => {
  groupTree()
  const now = hostOptions()
  if (!now || Number.parseInt(release(), 10) < 6) return t.skip('this host does not support it, or does not show it')
  assert.ok(now.includes('favordynmods'), now.join())
})
