import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { text } from 'node:stream/consumers'
import type { ComputerFiles, SearchQuery } from '../../../../src/drivers/driver.ts'
import { settles } from '../../../support/settles.ts'
import type { Part } from '../../subject.ts'

const options = { maxBytes: 1024 }
const query = { isRegex: true, ignoresCase: false, maxMatches: 100, maxBytes: 100_000, timeoutMs: 60_000 }

/** What guests that race, and trees and patterns that are made to do harm, cannot do. */
export const describeBelowOnHost: Part = (subject) => {
  let id: string
  let all: ComputerFiles
  let files: ComputerFiles
  before(async () => {
    id = await subject().computer()
    all = subject().driver.files(id)
    await all.makeDirectory('/workspace/top')
    files = all.below('/workspace/top')
  })
  const search = (path: string, pattern: string, more: Partial<SearchQuery> = {}) =>
    files.search(path, { ...query, ...more, pattern })

  test('a directory that is swapped for a link again and again leads nothing out of the directory', async () => {
    const code = `
import os
os.makedirs('/workspace/out/sub'); open('/workspace/out/kept', 'w').write('outside'); open('/workspace/out/sub/f', 'w').write('outside')
os.chdir('/workspace/top'); os.makedirs('swap-dir/sub'); open('swap-dir/kept', 'w').write('inside'); os.symlink('/workspace/out', 'swap-link')
print('ready', flush=True)
while True:
    os.rename('swap-dir', 'swap'); os.rename('swap', 'swap-dir')
    os.rename('swap-link', 'swap'); os.rename('swap', 'swap-link')`
    const process = await subject().exec(id, ['python3', '-c', code])
    for await (const { records } of process.follow(0)) if (records.length > 0) break
    const before = await list(all, '/workspace/out')
    for (let count = 0; count < 300; count++) {
      const [read] = await Promise.allSettled([
        files.read('/workspace/top/swap/kept').then(({ stream }) => text(stream)),
        files.write('/workspace/top/swap/new', Buffer.from('x'), options),
        files.writeRange('/workspace/top/swap/sub/f', Buffer.from('x'), { offset: 0 }),
        files.makeDirectory('/workspace/top/swap/made/deep'),
        files.remove('/workspace/top/swap/sub', { recursive: true }),
        files
          .move('/workspace/top/swap/kept', '/workspace/top/taken')
          .then(() => files.move('/workspace/top/taken', '/workspace/top/swap-dir/kept')),
      ])
      if (read.status === 'fulfilled') assert.equal(read.value, 'inside')
    }
    for (let count = 0; count < 10; count++) {
      const found = await search('/workspace/top/swap', 'outside|root:').catch(() => undefined)
      assert.deepEqual(found?.matches ?? [], [])
    }
    await process.kill('SIGKILL', 'tree')
    await settles(process.wait())
    assert.deepEqual(await list(all, '/workspace/out'), before)
    assert.equal(await text((await all.read('/workspace/out/sub/f')).stream), 'outside')
  })

  test('search() reads what its user alone may read, and neither pipes nor what is mounted', async () => {
    await subject().shell(
      id,
      `mkdir /workspace/top/odd; cd /workspace/top/odd; mkfifo pipe; ln -s /proc/self/environ environ
       echo needle > private; chmod 600 private; ln -s /usr/bin/rg program; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
       chmod 700 .`,
    )
    const { matches, truncated } = await search('/workspace/top/odd', 'needle|HOME')
    assert.deepEqual([matches.map(({ path }) => path), truncated], [['/workspace/top/odd/private'], false])
    await assert.rejects(search('/workspace/top/odd/pipe', 'x'), { code: 'invalid_request' })
  })

  test('search() ends in time, whatever the pattern and the tree are', async () => {
    await subject().shell(
      id,
      `mkdir -p /workspace/top/hostile; cd /workspace/top/hostile
       head -c 40000000 /dev/zero | tr '\\0' a > line; truncate -s 100G sparse
       python3 -c 'import os
for i in range(300): os.mkdir("d" * 99); os.chdir("d" * 99)'`,
    )
    const lines = await search('/workspace/top/hostile', '(a*)*b')
    assert.deepEqual(lines.matches, [])
    assert.match((await search('/workspace/top/hostile', 'a{3}')).matches[0]!.text, /^a{4096} \[/)
    for (const pattern of ['((a{1000}){1000}){1000}', '(a{1,1000}){1,1000}', '\\p{Greek', '(?<=a)b', '\\1'])
      await assert.rejects(search('/workspace/top/hostile', pattern), { code: 'invalid_request' }, pattern)
    const cut = await search('/workspace/top/hostile', '(a*)*b', { timeoutMs: 1 })
    assert.deepEqual(cut, { matches: [], truncated: true })
    const given = new AbortController()
    given.abort()
    await assert.rejects(search('/workspace/top', 'x', { signal: given.signal }), { code: 'unavailable' })
    await assert.rejects(search('/workspace/top/hostile/sparse', 'x'), { code: 'too_large' })
    await files.remove('/workspace/top/hostile', { recursive: true })
  })

  test('a computer is deleted while its files are searched, listed and written', async (t) => {
    const other = await subject().computer(t)
    await subject().driver.stop(other, 0)
    const of = subject().driver.files(other).below('/workspace')
    const work = Array.from({ length: 20 }, (_, index) =>
      Promise.allSettled([
        of.search('/workspace', { ...query, pattern: 'x' }),
        of.write(`/workspace/d${index}/file`, Buffer.from('x'), options),
        of.list('/workspace', { limit: 10, maxBytes: 1000 }),
      ]),
    )
    await subject().driver.destroy(other)
    for (const results of await Promise.all(work))
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.name, 'CarrelError')
    await assert.rejects(of.stat('/workspace'), { code: 'not_found' })
    assert.equal(await subject().driver.get(other), undefined)
  })
}

async function list(files: ComputerFiles, path: string): Promise<string[]> {
  const { entries } = await files.list(path, { limit: 100, maxBytes: 10_000 })
  return entries.map(({ name, sizeBytes, type }) => `${name} ${type} ${type === 'file' ? sizeBytes : ''}`)
}
