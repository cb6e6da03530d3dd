import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sudoArguments } from './root.js'

test("sudoArguments() keeps the project's variables by name and never shows their values", () => {
  const args = sudoArguments({ CARREL_KEY: 'secret', HOME: '/home/a', PATH: '/opt/bin' }, ['node', 'start.js'])
  assert.deepEqual(args.slice(0, 3), ['sudo', '--preserve-env=CARREL_KEY', 'env'])
  assert.match(args[3] ?? '', /^PATH=\/opt\/bin:/)
  assert.deepEqual(args.slice(4), ['node', 'start.js'])
  assert.ok(!args.join(' ').includes('secret'))
})
