import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withTimeLimit } from './time-limit.js'

for (const [what, isLate] of /** @type {const} */ ([
  ['takes too long', true],
  ['is ended', false],
]))
  test(`work that ${what} is aborted; work that is done never is`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const run = new AbortController()
    /** @type {string[]} */
    const aborted = []
    const work = (/** @type {string} */ name, /** @type {Promise<void>} */ until) =>
      withTimeLimit({ ended: run.signal, limitMs: 60_000, onAbort: () => aborted.push(name) }, async (signal) => {
        await until
        return signal.aborted
      })
    const open = Promise.withResolvers()
    assert.equal(await work('done', Promise.resolve()), false)
    const slow = work('open', open.promise)
    if (isLate) t.mock.timers.tick(60_000)
    else run.abort(new Error('The run is over.'))
    open.resolve(undefined)
    assert.equal(await slow, true)
    assert.deepEqual(aborted, ['open'])
  })
