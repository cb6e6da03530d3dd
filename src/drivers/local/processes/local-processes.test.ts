import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CarrelError } from '../../../errors.ts'
import type { ProcessExit } from '../../driver.ts'
import type { Monitors } from '../monitors/monitors.ts'
import { Paths } from '../paths.ts'
import { LocalProcesses } from './local-processes.ts'

const failed: ProcessExit = {
  reason: 'exited',
  exitCode: 1,
  signal: null,
  endedAtMs: 2,
  outputBytes: 0,
  truncated: false,
}

/** Returns the exit that wait() resolves with for a process that exits with 1. */
async function endOf(t: TestContext, isDiskFull: () => Promise<boolean>): Promise<ProcessExit> {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-processes-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const processes = new LocalProcesses({
    paths: new Paths(directory),
    monitor: () => ({}) as Monitors,
    execCommand: [],
    cgroupFiles: () => ({}) as never,
    isDiskFull,
    onOutput() {},
  })
  await processes.load([{ processId: 'p', computerId: 'c', pid: 1, startedAtMs: 1, directory, meta: {} }])
  const end = processes.get('p')!.wait()
  await processes.handle({ event: 'exit', processId: 'p', exit: failed })
  return end
}

test('a process that fails while the disk of its computer is full ends with that reason', async (t) => {
  assert.equal((await endOf(t, async () => true)).reason, 'disk_full')
  assert.equal((await endOf(t, async () => false)).reason, 'exited')
})

test('wait() resolves even if the computer is removed meanwhile', { timeout: 30_000 }, async (t) => {
  const removed = () => Promise.reject(new CarrelError('not_found', 'Cannot find computer "c": there is none'))
  assert.deepEqual(await endOf(t, removed), failed)
})
