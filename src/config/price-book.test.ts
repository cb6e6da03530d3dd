import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { defaultPrices, readPriceBook } from './price-book.ts'

function file(t: TestContext, content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-prices-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'prices.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

test('readPriceBook() without a file returns the prices of the documents', () => {
  const { meters, newAccountMicros } = readPriceBook(undefined)
  assert.equal((meters.compute.micros / meters.compute.per) * 1000, 100)
  assert.equal((meters.neurons.micros / meters.neurons.per) * 1_000_000, 20_000)
  assert.equal(newAccountMicros, 5_000_000)
})

test('a file overrides the fields that it names and keeps the rest', (t) => {
  const path = file(t, {
    meters: { compute: { micros: 50 }, neurons: { micros: 1, per: 2 } },
    tiers: { team: { cents: 50_000, bonusPercent: 25 }, one: { cents: 100 } },
    overdraftMicros: 7,
  })
  assert.deepEqual(readPriceBook(path), {
    ...defaultPrices,
    meters: { ...defaultPrices.meters, compute: { micros: 50, per: 1000 }, neurons: { micros: 1, per: 2 } },
    tiers: { team: { cents: 50_000, bonusPercent: 25 }, one: { cents: 100, bonusPercent: 0 } },
    overdraftMicros: 7,
  })
  assert.equal(defaultPrices.meters.compute.micros, 100)
})

test('the message about an invalid file names the path and the field', (t) => {
  const wrong: [unknown, RegExp][] = [
    ['{', /JSON/],
    [[], /it has to be an object/],
    [{ meters: { gold: { micros: 1 } } }, /no meter "gold"/],
    [{ meters: { compute: { micros: 0.5 } } }, /meters\.compute\.micros has to be a whole number/],
    [{ meters: { compute: { micros: 1, per: 0 } } }, /meters\.compute\.per has to be a whole number from 1/],
    [{ meters: { compute: 5 } }, /meters\.compute has to be an object/],
    [{ tiers: { a: { cents: -1 } } }, /tiers\.a\.cents/],
    [{ overdraftMicros: -1 }, /overdraftMicros has to be a whole number from 0/],
    [{ overdraftMicros: 1e18 }, /overdraftMicros/],
    [{ discount: 1 }, /no field "discount"/],
  ]
  for (const [content, complaint] of wrong) {
    const path = file(t, content)
    assert.throws(
      () => readPriceBook(path),
      ({ message }: Error) => message.startsWith(`Cannot use the price book "${path}": `) && complaint.test(message),
      JSON.stringify(content),
    )
  }
  assert.throws(() => readPriceBook('/nowhere/prices.json'), /"\/nowhere\/prices\.json"/)
})
