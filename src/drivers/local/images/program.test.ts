import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { ProgramFailure, runIsolated, runProgram } from './program.ts'

test('runProgram() reports each line of stdout and stderr', async () => {
  const lines: string[] = []
  await runProgram(['sh', '-c', 'echo one; echo two >&2'], { onLine: (line) => lines.push(line) })
  assert.deepEqual(lines.toSorted(), ['one', 'two'])
})

test('runProgram() rejects with the exit code and the last lines', async () => {
  await assert.rejects(runProgram(['sh', '-c', 'seq 100; exit 3']), (error) => {
    assert.ok(error instanceof ProgramFailure)
    assert.equal(error.exitCode, 3)
    assert.equal(error.lines.at(-1), '100')
    assert.ok(error.lines.length < 100)
    return true
  })
})

test('runProgram() and runIsolated() name a program that is not installed', async () => {
  for (const run of [runProgram, runIsolated]) {
    await assert.rejects(run(['no-such-program', '--help']), {
      code: 'unavailable',
      message: 'Cannot run "no-such-program": it is not installed on this host; install the package no-such-program',
    })
  }
})

test('runProgram() distinguishes a missing command inside the program from a missing program', async () => {
  await assert.rejects(runProgram(['sh', '-c', 'no-such-program']), ProgramFailure)
})

test('runIsolated() kills all processes in any session when it is aborted', async (t) => {
  const directory = await temporaryDirectory(t)
  const abort = new AbortController()
  const program = runIsolated(
    ['sh', '-c', `setsid sh -c 'echo begun; sleep 0.5; touch ${join(directory, 'survived')}' & wait`],
    {
      signal: abort.signal,
      onLine: () => abort.abort(),
    },
  )
  await assert.rejects(program, { name: 'AbortError' })
  // All writers have closed their output by now, which here happens only at their end.
  assert.equal(existsSync(join(directory, 'survived')), false)
})

test('runIsolated() leaves no mount on the host', async (t) => {
  const directory = await temporaryDirectory(t)
  await runIsolated(['sh', '-c', `mount -t tmpfs none ${directory} && touch ${directory}/inside`])
  assert.equal(existsSync(join(directory, 'inside')), false)
})
