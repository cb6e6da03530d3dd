import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ComputerFiles } from '../../../src/drivers/driver.ts'
import { within, type Part } from '../subject.ts'

const options = { maxBytes: 1024 }
const whole = { limit: 1000, maxBytes: 1024 * 1024 }

/** Links and paths that try to lead out of a computer, or astray. */
export const describePaths: Part = (subject) => {
  let id: string
  let files: ComputerFiles
  before(async () => {
    id = await subject().computer()
    files = subject().driver.files(id)
    await subject().shell(
      id,
      `cd /workspace; echo inside > file; mkdir directory
       ln -s file link; ln -s /workspace/file absolute; ln -s directory to-directory
       ln -s /etc/passwd passwd; ln -s / root; ln -s ../../../../../../.. up; ln -s ../../../../../../../etc/passwd up-passwd
       ln -s /proc/self/root proc-root; ln -s /proc/1/root proc-one; ln -s new dangling; ln -s /tmp/elsewhere dangling-far
       ln -s b a; ln -s a b; ln -s /workspace/c/d c; ln -s /workspace/to-directory/.. dots`,
    )
  })
  const read = async (path: string) => text((await files.read(path)).stream)

  test('a link is followed within the root of the computer', async () => {
    for (const path of ['link', 'absolute', 'root/workspace/file', 'up/workspace/file', 'to-directory/../file'])
      assert.equal(await read(`/workspace/${path}`), 'inside\n', path)
    assert.deepEqual((await files.list('/workspace/to-directory', whole)).entries.length, 0)
    assert.equal((await files.stat('/workspace/link')).type, 'file')
    const listed = (await files.list('/workspace', whole)).entries.find(({ name }) => name === 'link')
    assert.deepEqual([listed?.type, listed?.target], ['symlink', 'file'])
  })

  test('what a running computer mounts over its disk stays, by whatever path it is named', async () => {
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

  test('no path and no link leads to a file of the host', async () => {
    const guest = (await subject().shell(id, 'cat /etc/passwd')).stdout
    const host = readFileSync('/etc/passwd', 'utf8')
    assert.notEqual(guest, host)
    for (const path of [
      '/workspace/passwd',
      '/workspace/up-passwd',
      '/../../../../etc/passwd',
      '/workspace/root/etc/passwd',
    ])
      assert.equal(await read(path), guest, path)
    for (const path of [
      '/proc/self/root/etc/passwd',
      '/proc/1/root/etc/passwd',
      '/workspace/proc-root/etc/passwd',
      '/workspace/proc-one/etc/passwd',
      '/proc/self/cwd/etc/passwd',
      '/dev/fd/0',
    ])
      await assert.rejects(read(path), { name: 'CarrelError' }, path)
  })

  test('a write through a link ends in the computer', async () => {
    await files.write('/workspace/link', Buffer.from('through'), options)
    assert.equal(await read('/workspace/file'), 'through')
    assert.equal((await files.list('/workspace', whole)).entries.find(({ name }) => name === 'link')?.type, 'symlink')
    await files.write('/workspace/dangling', Buffer.from('made'), options)
    assert.equal(await read('/workspace/new'), 'made')
    await files.write('/workspace/dangling-far', Buffer.from('far'), options)
    assert.equal((await subject().shell(id, 'cat /tmp/elsewhere')).stdout, 'far')
    const host = readFileSync('/etc/passwd', 'utf8')
    const guest = await read('/etc/passwd')
    await files.write('/workspace/up-passwd', Buffer.from(`${guest}x:x:5000:5000::/:/bin/sh\n`), { maxBytes: 100_000 })
    assert.match((await subject().shell(id, 'tail -1 /etc/passwd')).stdout, /^x:x:5000/)
    assert.equal(readFileSync('/etc/passwd', 'utf8'), host)
    await files.write('/workspace/up/../../outside', Buffer.from('x'), options)
    assert.equal(await read('/outside'), 'x')
  })

  test('links that lead in a circle are refused', async () => {
    for (const path of ['/workspace/a', '/workspace/a/file', '/workspace/c', '/workspace/c/file']) {
      await assert.rejects(files.read(path), { code: 'invalid_request' }, path)
      await assert.rejects(files.write(path, Buffer.from('x'), options), { code: 'invalid_request' }, path)
    }
  })

  test('remove() and move() take the link, not what it leads to', async () => {
    await subject().shell(id, 'cd /workspace; mkdir keep; echo x > keep/x; ln -s keep away; ln -s / gone')
    await files.remove('/workspace/gone', { recursive: true })
    await files.move('/workspace/away', '/workspace/away-now')
    await files.remove('/workspace/away-now', { recursive: true })
    assert.equal(await read('/workspace/keep/x'), 'x\n')
    await subject().shell(id, 'cd /workspace; ln -s / keep/out')
    await files.remove('/workspace/keep', { recursive: true })
    assert.equal((await subject().shell(id, 'ls -d /etc /usr | wc -l')).stdout, '2\n')
  })

  test('a path that no path can be is refused with its reason', async () => {
    const paths = {
      relative: 'workspace/file',
      empty: '',
      'with a NUL': '/workspace/fi\0le',
      'of 5000 characters': `/${'a/'.repeat(2500)}`,
      'with a name of 256 bytes': `/workspace/${'ü'.repeat(128)}`,
      'with half a character': '/workspace/\uD800',
    }
    for (const [what, path] of Object.entries(paths)) {
      await assert.rejects(files.stat(path), { code: 'invalid_request' }, `stat ${what}`)
      await assert.rejects(files.read(path), { code: 'invalid_request' }, `read ${what}`)
      await assert.rejects(files.write(path, Buffer.from('x'), options), { code: 'invalid_request' }, `write ${what}`)
      await assert.rejects(files.makeDirectory(path), { code: 'invalid_request' }, `makeDirectory ${what}`)
      await assert.rejects(
        async () => files.remove(path, { recursive: true }),
        { code: 'invalid_request' },
        `remove ${what}`,
      )
      await assert.rejects(
        async () => files.move('/workspace/file', path),
        { code: 'invalid_request' },
        `move to ${what}`,
      )
    }
  })

  test('the root and a path that ends in dots cannot be written, removed or moved', async () => {
    for (const path of ['/', '//', '/.', '/..', '/workspace/.', '/workspace/..', '/workspace/directory/..']) {
      await assert.rejects(async () => files.write(path, Buffer.from('x'), options), { code: 'invalid_request' }, path)
      await assert.rejects(async () => files.remove(path, { recursive: true }), { code: 'invalid_request' }, path)
      await assert.rejects(async () => files.move(path, '/workspace/z'), { code: 'invalid_request' }, path)
    }
    assert.equal((await files.stat('/')).type, 'directory')
    assert.equal((await files.stat('/workspace/')).type, 'directory')
    assert.equal((await files.stat('/workspace/..')).type, 'directory')
  })

  test('a directory that is swapped for a link again and again never lets a write out', async () => {
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
    await within(5000, process.wait())
    assert.equal(readFileSync('/etc/hostname', 'utf8'), before)
  })
}
