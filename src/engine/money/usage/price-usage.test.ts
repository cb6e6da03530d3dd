import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { priceUsage, type Remainder } from './price-usage.ts'

test('many intervals cost exactly as much as one interval of their sum', () => {
  // At the highest price, the amount of one part is still a number that can be represented: below 2^53.
  const quantities = fc.array(fc.nat(9_000_000_000), { maxLength: 50 })
  const price = fc.record({ micros: fc.nat(1_000_000), per: fc.integer({ min: 1, max: 4_000_000_000 }) })
  fc.assert(
    fc.property(quantities, price, (parts, price) => {
      let before: Remainder | undefined
      let sum = 0n
      for (const part of parts) {
        const { amountMicros, ...rest } = priceUsage(part, price, before)
        assert.ok(rest.remainder < price.per)
        sum += BigInt(amountMicros)
        before = rest
      }
      const whole = parts.reduce((total, part) => total + BigInt(part), 0n)
      assert.equal(sum, (whole * BigInt(price.micros)) / BigInt(price.per))
    }),
  )
})

test('a remainder in another unit is dropped, not charged', () => {
  assert.deepEqual(priceUsage(0, { micros: 1, per: 10 }, { remainder: 999, per: 1000 }), {
    amountMicros: 0,
    remainder: 0,
    per: 10,
  })
})
