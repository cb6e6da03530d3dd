import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import { CarrelError, errorTable, type ErrorCode } from '../errors.ts'
import { logFailure } from './log-failure.ts'

function linesOf(error: unknown): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  logFailure(log, error, { requestId: 'r' })
  return lines
}

describe('logFailure()', () => {
  test('a fault of the server is an error with the stack of its cause', () => {
    const [line] = linesOf(new TypeError('x is not a function'))
    assert.equal(line?.level, 50)
    assert.match(JSON.stringify(line?.err), /x is not a function.*log-failure\.test/)
    assert.equal(line?.requestId, 'r')
  })

  test('faults of clients are logged at debug, without the message, which may repeat what they sent', () => {
    const sent = new CarrelError('invalid_request', 'Cannot use field "token": got "pp_sess_x"', {
      details: { field: 'token' },
      cause: new Error('pp_sess_x'),
    })
    const [line] = linesOf(sent)
    assert.deepEqual([line?.level, line?.code, line?.field, line?.msg], [20, 'invalid_request', 'token', 'refused'])
    assert.ok(!JSON.stringify(line).includes('pp_sess_x'))
  })

  test('nothing that clients can cause at will is an error or has a stack', () => {
    const codes = (Object.keys(errorTable) as ErrorCode[]).filter((code) => errorTable[code].status < 500)
    for (const code of [...codes, 'not_set_up', 'process_goes_on', 'disk_full', 'output_waits', 'no_capacity'] as const)
      for (const options of [{}, { cause: new Error('why') }]) {
        const [line] = linesOf(new CarrelError(code, 'no', options))
        assert.ok(Number(line?.level) <= 40, code)
        assert.ok(!JSON.stringify(line).includes('stack'), code)
      }
  })

  test('a wrong setting is a warning with its reason, a missing one is not', () => {
    const levelOf = (options: { cause?: Error }) => linesOf(new CarrelError('not_set_up', 'no', options))[0]
    assert.equal(levelOf({})?.level, 30)
    const wrong = levelOf({ cause: new Error('Invalid API Key provided') })
    assert.deepEqual([wrong?.level, wrong?.reason], [40, 'Invalid API Key provided'])
  })
})
