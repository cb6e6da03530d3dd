import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../system/run.ts'
import { closedRanges, slotAddress } from './addresses.ts'
import { ruleset } from './firewall.ts'

const options = { table: 'carrel_test', interfacePrefix: 'ctestx', resolvers: ['10.0.0.2'], allowed: [] }

/** The rules of one chain, a line each. */
function chain(text: string, name: string): string[] {
  const [, body] = new RegExp(`chain ${name} \\{\\n([^]*?)\\n\\s+\\}\\n`).exec(text) ?? []
  return body!.split('\n').flatMap((line) => line.trim() || [])
}

test('nft accepts the rules for all settings of the operator', async () => {
  const variants = [
    options,
    { ...options, resolvers: [] },
    { ...options, countsConnections: false },
    { ...options, resolvers: ['2001:db8::1'] },
    { ...options, resolvers: ['1.1.1.1', '9.9.9.9', '10.0.0.2'] },
    { ...options, allowed: ['10.0.0.1', '10.1.0.0/16', '10.2.0.1:5432', '10.3.0.0/24:443', '0.0.0.0/0'] },
  ]
  for (const variant of variants) await run('nft', ['--check', '-f', '-'], { input: ruleset(variant) })
})

test('nothing from a computer reaches the host itself', () => {
  const [, ...rules] = chain(ruleset(options), 'input')
  assert.deepEqual(rules, ['iifname "ctestx*" drop'])
})

test('closed ranges come after what is allowed, and before everything else is accepted', () => {
  const rules = chain(ruleset({ ...options, allowed: ['10.9.0.0/16:443'] }), 'forward')
  const at = (part: string) => rules.findIndex((rule) => rule.includes(part))
  const closed = at('169.254.0.0/16')
  assert.ok(rules[closed]!.startsWith('iifname "ctestx*" ip daddr {') && rules[closed]!.endsWith('} drop'))
  for (const range of closedRanges) assert.ok(rules[closed]!.includes(range), range)
  assert.ok(at('th dport 53 goto out') < closed && at('10.9.0.0/16') < closed)
  assert.equal(rules.indexOf('iifname "ctestx*" goto out'), closed + 1)
  assert.ok(at('oifname "ctestx*" drop') < at('10.9.0.0/16'), 'another computer is closed before anything is opened')
  assert.equal(rules[1], 'iifname "ctestx*" meta nfproto ipv6 drop')
  assert.equal(rules.at(-1), 'oifname "ctestx*" drop')
})

test('a resolver is reachable on port 53 only, and an allowed address on its port only', () => {
  const rules = chain(ruleset({ ...options, allowed: ['10.9.0.1:5432', '10.9.0.2'] }), 'forward')
  assert.ok(rules.includes('iifname "ctestx*" ip daddr { 10.0.0.2 } meta l4proto { tcp, udp } th dport 53 goto out'))
  assert.ok(rules.includes('iifname "ctestx*" ip daddr 10.9.0.1 meta l4proto { tcp, udp } th dport 5432 goto out'))
  assert.ok(rules.includes('iifname "ctestx*" ip daddr 10.9.0.2 goto out'))
})

test('every slot has an address of its own in the network', () => {
  const addresses = Array.from({ length: 65_000 }, (_, index) => slotAddress('10.213', index + 1))
  assert.equal(new Set(addresses).size, 65_000)
  assert.deepEqual([addresses[0], addresses[255], addresses.at(-1)], ['10.213.0.1', '10.213.1.0', '10.213.253.232'])
})
