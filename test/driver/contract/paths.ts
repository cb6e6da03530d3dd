import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { text } from 'node:stream/consumers'
import type { ComputerFiles } from '../../../src/drivers/driver.ts'
import type { Part } from '../subject.ts'

const options = { maxBytes: 1024 }
const whole = { limit: 1000, maxBytes: 1024 * 1024 }

/** Links and paths that try to escape from a computer, or that mislead. */
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

  test('circular links are refused', async () => {
    for (const path of ['/workspace/a', '/workspace/a/file', '/workspace/c', '/workspace/c/file']) {
      await assert.rejects(files.read(path), { code: 'invalid_request' }, path)
      await assert.rejects(files.write(path, Buffer.from('x'), options), { code: 'invalid_request' }, path)
    }
  })

  test('remove() and move() act on a link, not on its target', async () => {
    await subject().shell(id, 'cd /workspace; mkdir keep; echo x > keep/x; ln -s keep away; ln -s / gone')
    await files.remove('/workspace/gone', { recursive: true })
    await files.move('/workspace/away', '/workspace/away-now')
    await files.remove('/workspace/away-now', { recursive: true })
    assert.equal(await read('/workspace/keep/x'), 'x\n')
    await subject().shell(id, 'cd /workspace; ln -s / keep/out')
    await files.remove('/workspace/keep', { recursive: true })
    assert.equal((await subject().shell(id, 'ls -d /etc /usr | wc -l')).stdout, '2\n')
  })

  test('an invalid path is refused with a reason', async () => {
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
}
