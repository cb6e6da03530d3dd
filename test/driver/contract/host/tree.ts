import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { settles } from '../../../support/settles.ts'
import { type Part } from '../../subject.ts'

export const describeTreeOnHost: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  test('a time limit ends a process whose first thread has ended while others continue', async () => {
    const code = `
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
ctypes.CDLL(None).syscall(60, 0)`
    const process = await subject().exec(id, ['python3', '-c', code], { timeoutMs: 2000 })
    const exit = await settles(process.wait(), 'the end')
    assert.equal(exit.reason, 'timeout')
  })
}
