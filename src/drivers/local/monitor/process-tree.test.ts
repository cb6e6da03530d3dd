import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findTree, markerVariable, signalTree } from './process-tree.ts'

/** A tree of ordinary processes of this host, and a file that lists them like a control group. */
async function grow(
  t: TestContext,
  code: string,
): Promise<{ root: ChildProcess; tree: Parameters<typeof findTree>[0]; printed: number[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-tree-'))
  const processId = `test-${process.pid}-${Math.random()}`
  const root = spawn('sh', ['-c', code], {
    env: { ...process.env, [markerVariable]: processId },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(root.stdout, 'data')
  const printed = String(line).trim().split(/\s+/).map(Number)
  const procs = join(directory, 'cgroup.procs')
  writeFileSync(procs, [root.pid, ...printed, process.pid].join('\n'))
  t.after(() => {
    for (const pid of [root.pid!, ...printed]) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // The process has ended.
      }
    }
    rmSync(directory, { recursive: true })
  })
  const cgroup = { procs, oomKills: '', freeze: { path: join(directory, 'freeze'), on: '1', off: '0' } }
  return { root, tree: { pid: root.pid!, processId, cgroup }, printed }
}

const isGone = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.startsWith('Z')
  } catch {
    return true
  }
}

test('findTree() returns children, orphans and processes that left the session, and no others', async (t) => {
  const { root, tree, printed } = await grow(
    t,
    'sleep 60 & a=$!; (sleep 60 & echo $! > /dev/fd/3) 3>&1 | { read b; setsid sleep 60 & c=$!; echo $a $b $c; wait; }',
  )
  assert.equal(printed.length, 3)
  const found = await findTree(tree)
  for (const pid of [root.pid!, ...printed]) assert.ok(found.includes(pid), `${pid} is not among ${found.join()}`)
  assert.ok(!found.includes(process.pid))
})

test('signalTree() with SIGKILL leaves no process', { timeout: 20_000 }, async (t) => {
  const { root, tree, printed } = await grow(
    t,
    'trap "" TERM; sleep 60 & a=$!; setsid sleep 60 & echo $a $!; exec sleep 60',
  )
  const exited = once(root, 'exit')
  await signalTree(tree, 'SIGKILL')
  await exited
  // Killed processes may take a moment to end.
  while (!printed.every(isGone)) await delay(5)
})

test('a tree whose control group does not exist is empty', async () => {
  const cgroup = { procs: '/nothing', oomKills: '', freeze: { path: '/nothing', on: '1', off: '0' } }
  assert.deepEqual(await findTree({ pid: process.pid, processId: 'x', cgroup }), [])
})
