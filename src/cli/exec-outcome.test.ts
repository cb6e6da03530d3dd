import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExecExit } from '../../sdk/index.ts'
import { outcomeOf } from './exec-outcome.ts'

const exit = (fields: Partial<ExecExit>): ExecExit => ({
  exitCode: 0,
  signal: null,
  reason: 'exited',
  truncated: false,
  ...fields,
})

test('each end has its exit code and, if the code does not tell, a message', () => {
  const cases: [Partial<ExecExit>, number, RegExp | undefined][] = [
    [{ exitCode: 7 }, 7, undefined],
    [{ exitCode: 143, signal: 'SIGTERM', reason: 'signalled' }, 143, undefined],
    [{ exitCode: null, signal: 'SIGINT', reason: 'signalled' }, 130, undefined],
    [{ exitCode: null, signal: 'SIGUSR1', reason: 'signalled' }, 138, undefined],
    [{ exitCode: null, signal: 'SIGSYS', reason: 'signalled' }, 159, undefined],
    [{ exitCode: 137, signal: 'SIGKILL', reason: 'timeout' }, 124, /time limit of 500 ms/],
    [{ exitCode: 137, signal: 'SIGKILL', reason: 'oom' }, 137, /out of memory/],
    [{ exitCode: null, reason: 'oom' }, 137, /out of memory/],
    [{ exitCode: 137, signal: 'SIGKILL', reason: 'disk_full' }, 137, /the disk is full/],
    [{ exitCode: 137, signal: 'SIGKILL', reason: 'stopped' }, 137, /its computer was stopped/],
    [{ exitCode: null, reason: 'stopped' }, 1, /its computer was stopped/],
    [{ exitCode: null, reason: 'lost' }, 255, /lost/],
    [{ exitCode: 3, truncated: true }, 3, /output may be missing/],
  ]
  for (const [fields, exitCode, sentence] of cases) {
    const outcome = outcomeOf(exit(fields), 500)
    assert.equal(outcome.exitCode, exitCode, JSON.stringify(fields))
    if (sentence) assert.match(outcome.sentences.join('\n'), sentence)
    else assert.deepEqual(outcome.sentences, [])
  }
})
