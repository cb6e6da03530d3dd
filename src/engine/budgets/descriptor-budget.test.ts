import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DescriptorBudget, type Holders, type Lease } from './descriptor-budget.ts'

/** Takes descriptors until there is no more room. */
function takeAll(budget: DescriptorBudget, holders: Holders, count = 1): Lease[] {
  const shares = budget.sharesOf(holders)
  const leases: Lease[] = []
  for (let lease = budget.tryTake(shares, count); lease; lease = budget.tryTake(shares, count)) leases.push(lease)
  return leases
}

describe('DescriptorBudget', () => {
  test('reserves what the program itself needs', () => {
    assert.equal(new DescriptorBudget(20_000).total, 17_500)
    assert.equal(new DescriptorBudget(1024).total, 896)
    assert.equal(new DescriptorBudget(100).total, 50)
  })

  test('a single account gets a quarter of all, and the next ones a quarter of what is left', () => {
    const budget = new DescriptorBudget(20_000)
    assert.equal(takeAll(budget, { account: 'a' }).length, 4375)
    assert.equal(takeAll(budget, { account: 'b' }).length, 3281)
    for (let index = 0; index < 20; index++) takeAll(budget, { account: `more-${index}` })
    assert.ok(budget.tryTake(budget.sharesOf({ account: 'last' })))
  })

  test('one visitor of a preview uses up neither the share of the computer, nor of its owner, nor of all', () => {
    const budget = new DescriptorBudget(20_000)
    const site = { account: 'a', computer: 'c' }
    const taken = takeAll(budget, { ...site, visitor: '192.0.2.1' }, 2)
    assert.ok(taken.length * 2 < budget.total / 12, String(taken.length))
    assert.ok(takeAll(budget, { ...site, visitor: '192.0.2.2' }).length > 500)
    assert.ok(takeAll(budget, { account: 'a', computer: 'd', visitor: '192.0.2.3' }).length > 300)
    assert.ok(takeAll(budget, { account: 'a' }).length > 1000)
  })

  test("many visitors of one site leave enough for its owner, the owner's other sites and everybody else", () => {
    const budget = new DescriptorBudget(20_000)
    const visit = (computer: string) => {
      for (let index = 0; index < 200; index++)
        takeAll(budget, { account: 'a', computer, visitor: `${computer} ${index}` })
    }
    visit('c')
    assert.ok(budget.held <= budget.total / 7)
    for (const computer of ['d', 'e', 'f', 'g']) visit(computer)
    assert.ok(budget.held <= budget.total / 6)
    assert.ok(takeAll(budget, { account: 'a' }).length > budget.total / 20)
    assert.ok(takeAll(budget, { account: 'b' }).length > budget.total / 6)
  })

  test('released descriptors can be taken again, and a second release does nothing', () => {
    const budget = new DescriptorBudget(20_000)
    const leases = takeAll(budget, { account: 'a', computer: 'c', visitor: 'v' })
    for (const { release } of [...leases, ...leases]) release()
    assert.equal(budget.held, 0)
    assert.equal(takeAll(budget, { account: 'a', computer: 'c', visitor: 'v' }).length, leases.length)
  })

  test('the error says whether the account or others used up the room', () => {
    const budget = new DescriptorBudget(20_000)
    const [account, preview] = [{ account: 'a' }, { account: 'a', computer: 'c', visitor: 'v' }].map((holders) => {
      takeAll(budget, holders)
      return budget.sharesOf(holders)
    })
    assert.throws(() => budget.take('do it', account!), {
      code: 'limit_reached',
      message: /^Cannot do it: the account/,
    })
    assert.throws(() => budget.take('do it', preview!), { code: 'no_capacity' })
    assert.throws(() => budget.take('do it', budget.sharesOf({ account: 'b' }), 20_000), { code: 'no_capacity' })
  })

  test('every account gets some of a small budget as long as any are free', () => {
    const budget = new DescriptorBudget(40)
    for (let index = 0; index < budget.total; index++)
      assert.ok(budget.tryTake(budget.sharesOf({ account: `${index}` })))
    assert.equal(budget.tryTake(budget.sharesOf({ account: 'x' })), undefined)
  })
})
