import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ComputerFiles } from '../../../../src/drivers/driver.ts'
import { settles } from '../../../support/settles.ts'
import { type Part } from '../../subject.ts'

const options = { maxBytes: 1024 }

/** Properties of paths that only a computer with its own mounts, and programs that race, can show. */
export const describePathsOnHost: Part = (subject) => {
  let id: string
  let files: ComputerFiles
  before(async () => {
    id = await subject().computer()
    files = subject().driver.files(id)
  })
  const read = async (path: string) => text((await files.read(path)).stream)

  test('mounts of a running computer over its disk stay, whatever path names them', async () => {
    await subject().shell(id, 'ln -s /etc /tmp/etc; ln -s / /tmp/top; ln -s /etc/hosts /tmp/hosts; ln -s /dev /tmp/dev')
    const mounted =
      'cat /etc/hosts /etc/hostname /etc/resolv.conf; grep -c " /etc/\\| /dev\\| /proc" /proc/self/mountinfo'
    const { stdout } = await subject().shell(id, mounted)
    await files.write('/tmp/mine', Buffer.from('mine'), options)
    for (const etc of ['/./etc', '/etc/.', '/etc/', '/tmp/../etc', '/tmp/etc', '/tmp/top/etc', '//tmp/./top/tmp/etc'])
      for (const name of ['hosts', 'hostname', 'resolv.conf']) {
        const path = `${etc}/${name}`
        const refused = (work: () => Promise<unknown>) =>
          assert.rejects(async () => work(), { code: 'not_found' }, path)
        await refused(() => files.remove(path, { recursive: true }))
        await refused(() => files.move(path, '/tmp/taken'))
        await refused(() => files.move('/tmp/mine', path))
        await refused(() => files.write(path, Buffer.from('x'), options))
        await refused(() => files.writeMany([{ path, data: Buffer.from('x') }]))
        await refused(() => files.makeDirectory(`${path}/x`))
        await refused(() => files.stat(path))
        await refused(() => read(path))
        const staged = await files.stage(undefined, Readable.from([Buffer.from('x')]), options)
        await refused(() => staged.commit(path, undefined))
        await staged.close()
        await refused(() => files.stage(path, Readable.from([Buffer.from('x')]), options))
      }
    const link = '/tmp/hosts'
    await assert.rejects(files.write(link, Buffer.from('x'), options), { code: 'not_found' })
    for (const path of ['/./dev/x', '/tmp/dev/x', '/tmp/top/proc/x', '/tmp/../sys/x', '/tmp/top/dev/x/y']) {
      await assert.rejects(files.write(path, Buffer.from('x'), options), { code: 'not_found' }, path)
      await assert.rejects(files.makeDirectory(path), { code: 'not_found' }, path)
    }
    for (const path of ['/./dev', '/tmp/dev/', '/tmp/top/proc', '/tmp/top/sys']) {
      await assert.rejects(files.list(path, { limit: 10, maxBytes: 10_000 }), { code: 'not_found' }, path)
      const changes = files.watch(path, { recursive: true, signal: AbortSignal.timeout(10_000) })
      await assert.rejects(changes[Symbol.asyncIterator]().next(), { code: 'not_found' })
    }
    for (const path of ['/etc', '/tmp/top/etc', '/tmp/../etc'])
      await assert.rejects(files.remove(path, { recursive: true }), { code: 'conflict' }, path)
    await assert.rejects(files.move('/tmp/top/proc', '/tmp/proc'), { code: 'not_found' })
    assert.equal((await subject().shell(id, mounted)).stdout, stdout)
    await files.remove('/tmp/etc', { recursive: true })
    assert.equal((await subject().shell(id, mounted)).stdout, stdout)
  })

  test('a directory that is swapped for a link again and again never lets a write escape', async () => {
    const code = `
import os
os.chdir('/workspace')
os.mkdir('swap-dir'); os.symlink('/etc', 'swap-link')
while True:
    os.rename('swap-dir', 'swap'); os.rename('swap', 'swap-dir')
    os.rename('swap-link', 'swap'); os.rename('swap', 'swap-link')`
    const process = await subject().exec(id, ['python3', '-c', code])
    const before = readFileSync('/etc/hostname', 'utf8')
    for (let count = 0; count < 300; count++)
      await files.write('/workspace/swap/hostname', Buffer.from('swapped'), options).catch(() => {})
    await process.kill('SIGKILL', 'tree')
    await settles(process.wait())
    assert.equal(readFileSync('/etc/hostname', 'utf8'), before)
  })
}
