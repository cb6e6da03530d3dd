import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { settles } from '../../../support/settles.ts'
import { smallLimits, type Part } from '../../subject.ts'

const MiB = 1024 * 1024

export const describeExecOnHost: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  test('exec() runs with the groups of /etc/group, also after it changes', async () => {
    await subject().shell(id, 'groupadd --gid 4000 readers && usermod -aG readers node', { user: 'root' })
    assert.match((await subject().shell(id, 'id -Gn')).stdout, /\breaders\b/)
  })

  test('a program that runs out of memory ends with that reason, and the computer continues', async (t) => {
    const own = await subject().computer(t, { limits: { ...smallLimits, memoryBytes: 96 * MiB } })
    const hog = 'kept = []\nwhile True: kept.append(bytearray(4 * 1024 * 1024))'
    const { exit } = await subject().python(own, hog)
    assert.deepEqual([exit.reason, exit.exitCode, exit.signal], ['oom', 137, 'SIGKILL'])
    const inShell = await subject().shell(own, `python3 -c "$HOG"; exit $?`, {
      env: { ...subject().image.env, HOG: hog },
    })
    assert.deepEqual([inShell.exit.reason, inShell.exit.exitCode], ['oom', 137])
    assert.ok((await subject().driver.stats(own)).oomKills >= 2)
    assert.equal((await subject().shell(own, 'kill -9 $$')).exit.reason, 'signalled')
  })

  test('processes and threads are limited, and the computer is usable again after a fork bomb', async (t) => {
    const own = await subject().computer(t, { limits: { ...smallLimits, pids: 48 } })
    const bomb = await subject().exec(own, ['bash', '-c', ':(){ :|:& };:; sleep 100'], { timeoutMs: 1500 })
    const exit = await settles(bomb.wait(), 'the end of the bomb')
    assert.equal(exit.reason, 'timeout')
    assert.equal((await subject().shell(own, 'echo alive')).stdout, 'alive\n')
    assert.ok((await subject().driver.stats(own)).pids < 10)
  })
}
