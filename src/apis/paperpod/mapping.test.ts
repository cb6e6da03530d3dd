import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ExitReason, ProcessFacts } from '../../engine/types.ts'
import { executeAnswerOf, processOf } from './mapping.ts'

const row: ProcessFacts = {
  id: 'id',
  account_id: 'account',
  computer_id: 'computer',
  name: 'name',
  kind: 'background',
  command: 'true',
  state: 'ended',
  pid: 1,
  reason: 'exited',
  exit_code: 0,
  signal: null,
  output_bytes: 0,
  truncated: 0,
  kept_bytes: null,
  started_at: 0,
  ended_at: 1,
}

describe('processOf()', () => {
  for (const [change, status] of [
    [{ state: 'running', reason: null, exit_code: null, ended_at: null }, 'running'],
    [{ exit_code: 0 }, 'completed'],
    [{ exit_code: 1 }, 'failed'],
    [{ exit_code: 137 }, 'failed'],
    [{ reason: 'signalled', exit_code: 143, signal: 'SIGTERM' }, 'killed'],
    [{ reason: 'disconnected', exit_code: 129, signal: 'SIGHUP' }, 'killed'],
    [{ reason: 'disconnected', exit_code: 3 }, 'failed'],
    [{ reason: 'disk_full', exit_code: 1 }, 'failed'],
    [{ reason: 'timeout', exit_code: 137 }, 'timeout'],
    [{ reason: 'oom', exit_code: 137 }, 'oom'],
    [{ reason: 'stopped', exit_code: 143 }, 'stopped'],
    [{ reason: 'lost', exit_code: null }, 'lost'],
  ] as [Partial<ProcessFacts>, string][])
    test(`calls ${JSON.stringify(change)} ${status}`, () =>
      assert.equal(processOf({ ...row, ...change }).status, status))

  test('does not reveal the account or the computer', () => {
    const text = JSON.stringify(processOf(row))
    assert.ok(!text.includes('account') && !text.includes('computer'))
  })
})

describe('executeAnswerOf()', () => {
  const answer = (reason: ExitReason, truncated = false) =>
    executeAnswerOf(
      {
        process: { processId: 'p', startedAtMs: 100 },
        exit: { reason, exitCode: 0, signal: null, endedAtMs: 350, outputBytes: 0, truncated: false },
        stdout: Buffer.from([0xff]),
        stderr: Buffer.from('é'),
        truncated,
      } as unknown as Parameters<typeof executeAnswerOf>[0],
      's',
    )

  test('has a status for every exit reason', () => {
    const reasons: ExitReason[] = [
      'exited',
      'disk_full',
      'signalled',
      'stopped',
      'timeout',
      'oom',
      'lost',
      'out_of_credits',
      'spending_limit',
      'disconnected',
    ]
    assert.deepEqual(
      reasons.map((reason) => answer(reason).status),
      ['completed', 'completed', 'killed', 'killed', 'timeout', 'oom', 'lost', 'killed', 'killed', 'killed'],
    )
  })

  test('has the text, base64 for output that is not text, the duration, and whether output was cut', () => {
    const { result } = answer('exited', true)
    assert.deepEqual([result.stdout, result.stdoutBase64, result.stderr], ['\ufffd', '/w==', 'é'])
    assert.ok(!('stderrBase64' in result))
    assert.deepEqual([result.durationMs, result.truncated], [250, true])
  })
})
