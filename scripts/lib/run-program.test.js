import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from './run-program.js'

test('runProgram() returns stdout and stderr and passes on the status lines', async () => {
  /** @type {string[]} */
  const status = []
  const script = 'echo out; echo err >&2; printf "a\\nb\\n" >&3; exit 3'
  const result = await runProgram(['sh', '-c', script], { onStatus: (line) => status.push(line) })
  assert.equal(result.code, 3)
  assert.deepEqual(result.output.trim().split('\n').toSorted(), ['err', 'out'])
  assert.deepEqual(status, ['a', 'b'])
})

test('runProgram() reports a missing program', async () => {
  const { code, output } = await runProgram(['/no/such/program'])
  assert.equal(code, 127)
  assert.match(output, /ENOENT/)
})

test('runProgram() kills a program at its time limit, with its children', async () => {
  const result = await runProgram(['sh', '-c', 'sleep 60 & wait'], { timeoutMs: 50 })
  assert.equal(result.timedOut, true)
})

test('runProgram() does not wait for a daemon that holds its output', async () => {
  const { code, output } = await runProgram(['sh', '-c', 'sleep 5 & echo $!'])
  process.kill(Number(output))
  assert.equal(code, 0)
})
