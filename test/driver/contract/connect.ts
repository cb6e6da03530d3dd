import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { before, test } from 'node:test'
import { serverFilesPath } from '../../../src/drivers/driver.ts'
import { newId } from '../../../src/engine/ids.ts'
import { settles } from '../../support/settles.ts'
import { ended, type Part } from '../subject.ts'

export const describeConnect: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  const connect = (argv: string[]) => {
    const { env, user } = subject().image
    return subject().driver.connect(id, { processId: newId(), argv, env, user, cwd: '/', meta: {} })
  }

  test('connect() passes bytes both ways unchanged, and keeps none of them', async () => {
    const data = randomBytes(3_000_000)
    const { process, stdin, stdout } = await connect(['cat'])
    const received = buffer(stdout)
    stdin.end(data)
    assert.ok((await settles(received)).equals(data), 'the bytes differ')
    const { exit, stdout: kept } = await ended(process)
    assert.deepEqual([exit.exitCode, exit.outputBytes, kept], [0, 0, ''])
  })

  test('connect(): what goes to stderr is the output of the process', async () => {
    const { process, stdout } = await connect(['bash', '-c', 'echo out; echo error >&2; exit 3'])
    assert.equal((await buffer(stdout)).toString(), 'out\n')
    const { exit, stderr } = await ended(process)
    assert.deepEqual([exit.exitCode, stderr], [3, 'error\n'])
  })

  test('connect(): a program reads the end of its stdin when the stream is destroyed', async () => {
    const { process, stdin, stdout } = await connect(['cat'])
    stdin.destroy()
    stdout.destroy()
    assert.equal((await settles(process.wait())).exitCode, 0)
  })

  test('connect() rejects for a program that does not exist', async () => {
    await assert.rejects(connect(['no-such-program']), { code: 'not_found' })
  })

  test('showFiles() shows files to root, and replaces one of the same name', async () => {
    const { driver } = subject()
    const mode = 0o600
    await driver.showFiles(id, { one: { content: 'first', mode }, two: { content: 'stays', mode } })
    await driver.showFiles(id, { one: { content: 'second', mode } })
    const read = await subject().run(id, ['cat', `${serverFilesPath}/one`, `${serverFilesPath}/two`], { user: '0' })
    assert.equal(read.stdout, 'secondstays')
  })
}
