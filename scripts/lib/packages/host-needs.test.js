import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assessHost, choosePackages } from './host-needs.js'

/** @type {import('./host-needs.js').Need[]} */
const needs = [
  {
    choices: [
      { package: 'best', programs: ['best'] },
      { package: 'second', programs: ['second'], loss: 'Slower.' },
    ],
  },
  { choices: [{ package: 'must', programs: ['must', 'mkfs.must'] }] },
  { choices: [{ package: 'comfort', programs: ['comfort'] }], loss: 'Less comfort.' },
]

/** @param {string[]} programs */
const hostWith =
  (...programs) =>
  (/** @type {string} */ program) =>
    programs.includes(program)

test('assessHost() finds nothing to do on a host with the first choices', () => {
  const host = hostWith('best', 'must', 'mkfs.must', 'comfort')
  assert.deepEqual(assessHost(needs, host), { wanted: [], missing: [], losses: [] })
})

test('assessHost() distinguishes missing needs from losses', () => {
  const { wanted, missing, losses } = assessHost(needs, hostWith('second', 'must'))
  assert.deepEqual(wanted, ['best', 'must', 'comfort'])
  assert.deepEqual(missing, [needs[1]])
  assert.deepEqual(losses, ['Slower.', 'Less comfort.'])
})

test('choosePackages() takes the first available choice', () => {
  assert.deepEqual(choosePackages(needs, hostWith(), new Set(['second', 'must'])), ['second', 'must'])
})

test('choosePackages() takes no replacement if one is installed already', () => {
  assert.deepEqual(choosePackages(needs, hostWith('second'), new Set(['second'])), [])
  assert.deepEqual(choosePackages(needs, hostWith('second'), new Set(['best', 'second'])), ['best'])
})
