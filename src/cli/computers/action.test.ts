import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentProgram } from '../program.ts'
import { findAction, innerActionsOf, type Actions } from './action.ts'

const run = async () => {}
const actions: Actions = {
  ls: { takes: '', run },
  stop: { takes: '<computer>...', run },
  exec: { takes: '<computer> -- <command>', run },
  snapshots: { ls: { takes: '[computer]', run }, create: { takes: '<computer>', run } },
}
const call = (...operands: string[]) => {
  const [, { usage, operands: left }] = findAction({ program: currentProgram(), values: {}, operands }, actions)
  return [usage, left]
}

test('an action is found with its operands; the first one is meant where none is named', () => {
  for (const [operands, usage, left] of [
    [[], 'computers ls', []],
    [['stop', 'a', 'b'], 'computers stop <computer>...', ['a', 'b']],
    [['exec', 'a', 'ls', '-l'], 'computers exec <computer> -- <command>', ['a', 'ls', '-l']],
    [['snapshots'], 'computers snapshots ls [computer]', []],
    [['snapshots', 'a'], 'computers snapshots ls [computer]', ['a']],
    [['snapshots', 'ls', 'ls'], 'computers snapshots ls [computer]', ['ls']],
    [['snapshots', 'create', 'a'], 'computers snapshots create <computer>', ['a']],
  ] as const)
    assert.deepEqual(call(...operands), [usage, left])
  assert.deepEqual(innerActionsOf(actions), { snapshots: ['ls', 'create'] })
})

test('operands that do not fit are refused with the command line, or with the actions that there are', () => {
  for (const [operands, message] of [
    [['ls', 'a'], 'Cannot use "a": the command is "carrel computers ls"'],
    [
      ['snapshots', 'create', 'a', 'b'],
      'Cannot use "b": the command is "carrel computers snapshots create <computer>"',
    ],
    [['snapshots', 'crate', 'a'], 'Cannot do "crate" with snapshots: did you mean "create"?'],
    [['snapshots', 'open', 'a'], 'Cannot do "open" with snapshots: it has to be one of ls, create'],
  ] as const)
    assert.throws(() => call(...operands), { name: 'UsageError', message })
})
