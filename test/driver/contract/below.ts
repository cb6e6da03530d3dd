import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { text } from 'node:stream/consumers'
import type { ComputerFiles } from '../../../src/drivers/driver.ts'
import type { Part } from '../subject.ts'

const options = { maxBytes: 1024 }
const whole = { limit: 100, maxBytes: 100_000 }
const data = Buffer.from('data')

/** Files that are limited to a directory, and what only the callers of such files use. */
export const describeBelow: Part = (subject) => {
  for (const state of ['running', 'stopped'] as const) {
    describe(`in a computer that is ${state}`, () => {
      let files: ComputerFiles
      let all: ComputerFiles
      before(async () => {
        const id = await subject().computer()
        all = subject().driver.files(id)
        await subject().shell(
          id,
          `mkdir -p /workspace/top/inner; cd /workspace; echo kept > outside; mkdir near; cd top; echo x > file
           ln -s inner inside; ln -s /workspace/top/file absolute; ln -s ../outside up; ln -s /workspace/near far
           ln -s /workspace/new dangling; ln -s /workspace /tmp/top-link; ln -s . self`,
        )
        if (state === 'stopped') await subject().driver.stop(id, 0)
        files = all.below('/workspace/top')
      })
      const read = async (path: string) => text((await files.read(path)).stream)

      test('a path or link that stays below the directory works as ever', async () => {
        for (const path of ['file', 'absolute', 'self/file', '../top/file', 'inside/../file'])
          assert.equal(await read(`/workspace/top/${path}`), 'x\n', path)
        assert.equal((await files.stat('/workspace/top')).type, 'directory')
        assert.equal((await files.list('/workspace/top', whole)).entries.length, 8)
        await files.write('/workspace/top/inside/new/file', data, options)
        assert.equal(await read('/workspace/top/inner/new/file'), 'data')
        await files.move('/workspace/top/inside/new', '/workspace/top/moved/there')
        await files.remove('/workspace/top/moved', { recursive: true })
      })

      test('whatever leads out of it is refused, and nothing outside changes', async () => {
        const ways = ['/workspace/outside', '/workspace/top/up', '/workspace/top/../outside', '/tmp/top-link/outside']
        const operations: Record<string, (path: string) => Promise<unknown>> = {
          read: (path) => files.read(path),
          open: (path) => files.open(path),
          stat: (path) => files.stat(path),
          write: (path) => files.write(path, data, options),
          writeMany: (path) => files.writeMany([{ path, data }]),
          writeRange: (path) => files.writeRange(path, data, { offset: 0 }),
        }
        for (const [name, operation] of Object.entries(operations))
          for (const path of ways) await assert.rejects(operation(path), { code: 'invalid_request' }, `${name} ${path}`)
        for (const path of ['/workspace/near', '/workspace/top/far', '/workspace', '/'])
          await assert.rejects(files.list(path, whole), { code: 'invalid_request' }, path)
        for (const path of ['/workspace/top/far/new', '/workspace/near/new', '/workspace/top/far/new/deep']) {
          await assert.rejects(files.makeDirectory(path), { code: 'invalid_request' }, path)
          await assert.rejects(files.write(path, data, options), { code: 'invalid_request' }, path)
        }
        await assert.rejects(files.write('/workspace/top/dangling', data, options), { code: 'invalid_request' })
        await assert.rejects(files.writeRange('/workspace/top/dangling', data, { offset: 0 }), {
          code: 'invalid_request',
        })
        for (const path of [
          '/workspace/outside',
          '/workspace/top/far/../outside',
          '/workspace/top',
          '/workspace/near',
        ]) {
          await assert.rejects(files.remove(path, { recursive: true }), { code: 'invalid_request' }, path)
          await assert.rejects(files.move(path, '/workspace/top/taken'), { code: 'invalid_request' }, path)
        }
        for (const path of ['/workspace/taken', '/workspace/top/far/taken', '/workspace/top'])
          await assert.rejects(files.move('/workspace/top/file', path), { code: 'invalid_request' }, path)
        assert.deepEqual(
          (await all.list('/workspace', whole)).entries.map(({ name }) => name),
          ['near', 'outside', 'top'],
        )
        assert.equal((await all.list('/workspace/near', whole)).entries.length, 0)
        assert.equal(await text((await all.read('/workspace/outside')).stream), 'kept\n')
      })

      test('a link itself can be described, moved and removed, wherever it leads', async () => {
        assert.equal((await files.stat('/workspace/top/up', { followLinks: false })).type, 'symlink')
        await files.move('/workspace/top/up', '/workspace/top/up-moved')
        await files.remove('/workspace/top/up-moved', { recursive: true })
        await files.move('/workspace/top/far', '/workspace/top/far-moved')
        await files.move('/workspace/top/far-moved', '/workspace/top/far')
      })

      test('writeRange() writes in place, fills a gap with zeros, and creates a file with its parents', async () => {
        const path = '/workspace/top/ranges/file'
        await files.writeRange(path, Buffer.from('later'), { offset: 3 })
        assert.equal(await read(path), '\0\0\0later')
        assert.deepEqual([(await files.stat(path)).uid, (await files.stat(path)).mode], [1000, 0o644])
        await files.writeRange(path, Buffer.from('ABC'), { offset: 2 })
        assert.equal(await read(path), '\0\0ABCter')
        await files.writeRange(path, Buffer.from('end'), { offset: 9 })
        assert.equal(await read(path), '\0\0ABCter\0end')
        await files.writeRange(path, Buffer.alloc(0), { offset: 100 })
        assert.equal((await files.stat(path)).sizeBytes, 12)
        await files.writeRange('/workspace/top/ranges/empty', Buffer.alloc(0), { offset: 5 })
        assert.equal(await read('/workspace/top/ranges/empty'), '')
        await assert.rejects(files.writeRange('/workspace/top/inner', data, { offset: 0 }), { code: 'invalid_request' })
        await assert.rejects(files.writeRange('/workspace/top/file/x', data, { offset: 0 }), { name: 'CarrelError' })
      })

      test('makeDirectory() takes a mode, and makes one new directory alone where asked to', async () => {
        await files.makeDirectory('/workspace/top/d/private', { mode: 0o2770 })
        const modes = async (path: string) => (await files.stat(`/workspace/top/${path}`)).mode
        assert.deepEqual([await modes('d'), await modes('d/private')], [0o755, 0o2770])
        const one = { mustBeNew: true, mode: 0o700 }
        await files.makeDirectory('/workspace/top/d/one', one)
        assert.deepEqual([await modes('d/one'), (await files.stat('/workspace/top/d/one')).uid], [0o700, 1000])
        for (const path of ['d/one', 'file', 'dangling'])
          await assert.rejects(files.makeDirectory(`/workspace/top/${path}`, one), { code: 'already_exists' }, path)
        await assert.rejects(files.makeDirectory('/workspace/top/none/one', one), { code: 'not_found' })
      })
    })
  }

  test('the image has a workspace in the home of its user, who owns what is written there', async (t) => {
    const id = await subject().computer(t)
    const files = subject().driver.files(id).below('/home/node/workspace')
    await files.write('/home/node/workspace/d/file', data, options)
    await files.makeDirectory('/home/node/workspace/made', { mode: 0o700 })
    const code = 'stat -c "%U:%G %a" . d d/file made && echo own > d/own && cat d/file'
    const { stdout } = await subject().shell(id, code, { cwd: '/home/node/workspace' })
    assert.equal(stdout, 'node:node 755\nnode:node 755\nnode:node 644\nnode:node 700\ndata')
    await files.remove('/home/node/workspace/d', { recursive: true })
  })
}
