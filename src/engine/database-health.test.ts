import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { DatabaseFailure } from '../database-failure.ts'
import { setWatch, type FailureListener } from '../db/database-watch.ts'
import { HelperStates } from '../helper-states.ts'
import { DatabaseHealth } from './database-health.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

test('the database is degraded while any observer finds it failing, and the log says so once', async (t) => {
  const db = await openTestDatabase(t)
  let notify: FailureListener = () => {}
  setWatch(db, { onChange: (listener) => (notify = listener) })
  const helpers = new HelperStates()
  const logged: string[] = []
  const log = pino({}, { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) })
  const health = new DatabaseHealth({ db, helpers, log })
  const reason = () => helpers.all()[0]?.reason
  const away = new DatabaseFailure('unavailable', 'does not answer')

  assert.doesNotThrow(() => health.assertWorks())
  health.report('records', new Error('near "x": syntax error'))
  assert.equal(reason(), 'it accepts no records')
  notify(away, { isSilent: true })
  assert.equal(reason(), 'it does not answer')
  assert.throws(() => health.assertWorks(), { code: 'unavailable', message: 'The database does not answer' })
  health.report('records')
  assert.equal(reason(), 'it does not answer')
  notify(undefined, { isSilent: false })
  assert.equal(helpers.all()[0]?.status, 'ok')
  assert.doesNotThrow(() => health.assertWorks())
  assert.deepEqual(logged, ['the database fails: it accepts no records', 'the database works again'])
})
