import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'
import { computerRow, monitorPid, paths, slotOf } from './host-traces.ts'

/** Keeps a computer's network slot from being removed, until the returned function is called. */
function holdSlot(slot: string): () => void {
  const held = join(paths.slots, slot, 'held')
  mkdirSync(held)
  execFileSync('mount', ['--bind', held, held])
  return () => void execFileSync('umount', [held])
}

test('a computer that cannot be cleared keeps neither the server from starting nor other computers from running', async () => {
  const [stuck, other] = [newSession(), newSession()]
  const first = await TestServer.start()
  await first.shell('true', { sessionId: stuck })
  await first.shell('true', { sessionId: other })
  const { id } = (await computerRow(stuck))!
  const free = holdSlot(slotOf(id)!)
  const monitor = monitorPid()
  await first.stop('SIGKILL')
  process.kill(monitor, 'SIGKILL')

  const server = await TestServer.start({ env: { CARREL_SWEEP_INTERVAL_MS: '200' } })
  try {
    assert.equal(
      server
        .log()
        .split('\n')
        .filter((line) => line.includes(id) && line.includes('is left as it is')).length,
      1,
    )
    assert.equal((await server.shell('echo fine', { sessionId: other })).stdout, 'fine\n')
    const use = () => server.post('/execute', { code: 'echo freed', language: 'shell', sessionId: stuck })
    const { status, body } = await use()
    assert.ok(status >= 500, JSON.stringify(body))
    free()
    const { body: freed } = await until(use, (answer) => answer.status === 200)
    assert.equal(freed.result.stdout, 'freed\n')
    assert.equal((await computerRow(stuck))?.id, id)
  } finally {
    await server.stop()
  }
})

test('mounts stacked on a namespace of an ended server are removed with it', async () => {
  const sessionId = newSession()
  const first = await TestServer.start()
  await first.shell('true', { sessionId })
  const { id } = (await computerRow(sessionId))!
  const slot = slotOf(id)!
  const namespace = join(paths.slots, slot, 'net')
  for (let i = 0; i < 3; i++) execFileSync('mount', ['--bind', namespace, namespace])
  const monitor = monitorPid()
  await first.stop('SIGKILL')
  process.kill(monitor, 'SIGKILL')
  const server = await TestServer.start()
  assert.equal(server.log().includes('is left'), false, server.log())
  await server.stop()
  assert.equal(existsSync(namespace), false)
})
