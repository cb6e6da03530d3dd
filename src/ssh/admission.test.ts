import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../config/limits.ts'
import { DescriptorBudget } from '../engine/budgets/descriptor-budget.ts'
import { ClientNetworks } from '../http/client-networks.ts'
import { Admission } from './admission.ts'

test('a network has a bounded number of strangers, which others do not share, and leaving twice counts once', () => {
  const budget = new DescriptorBudget(100_000)
  const admission = new Admission(budget, new ClientNetworks([]))
  const admitted = Array.from({ length: limits.sshUnprovenPerNetwork }, () => admission.admit('192.0.2.1'))
  assert.ok(admitted.every(Boolean))
  assert.equal(admission.admit('192.0.2.1'), undefined)
  assert.ok(admission.admit('192.0.2.2'))
  admitted[0]!.leave()
  admitted[0]!.leave()
  assert.ok(admission.admit('192.0.2.1'))
  assert.equal(admission.admit('192.0.2.1'), undefined)
  assert.equal(budget.held, limits.sshUnprovenPerNetwork + 1)
})

test('strangers of many networks leave descriptors for others', () => {
  const budget = new DescriptorBudget(1000)
  const admission = new Admission(budget, new ClientNetworks([]))
  for (let index = 0; index < 1000; index++) admission.admit(`192.0.${index >> 8}.${index & 255}`)
  assert.ok(budget.held < budget.total / 2)
})
