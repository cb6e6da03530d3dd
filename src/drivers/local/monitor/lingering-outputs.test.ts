import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { LingeringOutputs } from './lingering-outputs.ts'

test('of too many open outputs, the oldest of the account or of all is closed', async () => {
  const lingering = new LingeringOutputs({ maxPerAccount: 3, maxTotal: 5 })
  const add = (account: string) => {
    const output = new PassThrough()
    lingering.add(account, output)
    return output
  }
  const other = add('b')
  const own = Array.from({ length: 5 }, () => add('a'))
  assert.deepEqual(
    own.map(({ destroyed }) => destroyed),
    [true, true, false, false, false],
  )
  assert.equal(other.destroyed, false)
  // An output that ends by itself does not count any more.
  own[2]!.destroy()
  await once(own[2]!, 'close')
  const more = [add('c'), add('c')]
  assert.deepEqual([other.destroyed, more[0]!.destroyed], [false, false])
  add('d')
  assert.deepEqual([other.destroyed, own[3]!.destroyed, own[4]!.destroyed], [true, false, false])
})
