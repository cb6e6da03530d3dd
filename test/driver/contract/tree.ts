import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { until } from '../../support/server.ts'
import { stdoutWith, type Part } from '../subject.ts'
import { settles } from '../../support/settles.ts'

/** A program whose children detach from it in every way; each is a `sleep` of a distinct length. */
const scattered = `
  sleep 7001 &
  setsid sleep 7002 &
  (trap '' TERM; setsid sleep 7003 &)
  (trap '' TERM; exec sleep 7004) &
  trap '' TERM
  echo ready
  while :; do sleep 0.02; done`

export const describeTree: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })
  const sleepers = async () =>
    (await subject().shell(id, 'pgrep -fx "sleep 7.*" -a | sort -k3')).stdout.split('\n').filter(Boolean)

  test('a time limit kills the process and all its descendants', async () => {
    const started = performance.now()
    const process = await subject().exec(id, ['bash', '-c', scattered], { timeoutMs: 1000 })
    await stdoutWith(process, 'ready')
    const exit = await settles(process.wait(), 'the end')
    assert.ok(performance.now() - started >= 950)
    assert.deepEqual([exit.reason, exit.exitCode, exit.signal], ['timeout', 137, 'SIGKILL'])
    assert.deepEqual(await sleepers(), [])
  })

  test('a time limit leaves other processes of the computer alone', async () => {
    const other = await subject().exec(id, ['sleep', '8000'])
    const { exit } = await subject().shell(id, 'sleep 8001', { timeoutMs: 100 })
    assert.equal(exit.reason, 'timeout')
    assert.equal(other.exit, undefined)
    await other.kill('SIGKILL', 'tree')
  })

  test('kill() of the tree reaches all descendants of the process', async () => {
    const process = await subject().exec(id, ['bash', '-c', scattered])
    await stdoutWith(process, 'ready')
    await until(sleepers, (found) => found.length === 4)
    await process.kill('SIGTERM', 'tree')
    const deaf = await until(sleepers, (found) => found.length === 2)
    assert.match(deaf.join(), /7003.*7004/)
    assert.equal(process.exit, undefined)
    await process.kill('SIGKILL', 'tree')
    const exit = await settles(process.wait())
    assert.deepEqual([exit.reason, exit.signal], ['signalled', 'SIGKILL'])
    assert.deepEqual(await until(sleepers, (found) => found.length === 0), [])
  })

  test('kill() of the process leaves its children', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'sleep 7010 & echo ready; wait'])
    await stdoutWith(process, 'ready')
    await process.kill('SIGKILL', 'process')
    await process.wait()
    assert.equal((await sleepers()).length, 1)
    await subject().shell(id, 'pkill -fx "sleep 7010"')
  })

  test('a child that outlives the process and holds its output open does not delay the end', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'sleep 7020 & echo parent; exit 5'])
    assert.equal((await process.wait()).exitCode, 5)
    assert.equal((await sleepers()).length, 1)
    await subject().shell(id, 'pkill -fx "sleep 7020"')
  })

  test('a child that outlives the process and keeps writing is not ended by that', async () => {
    const code = '(trap "" PIPE; while :; do echo x; echo y > /workspace/alive; sleep 0.02; done) & echo parent'
    const process = await subject().exec(id, ['bash', '-c', code])
    await settles(process.wait(), 'the end')
    await subject().shell(id, 'rm -f /workspace/alive')
    await until(
      async () => (await subject().shell(id, 'cat /workspace/alive')).stdout,
      (text) => text === 'y\n',
    )
  })
}
