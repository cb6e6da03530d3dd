import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { ComputerFiles, SearchQuery } from '../../../src/drivers/driver.ts'
import type { Part } from '../subject.ts'

const options = { maxBytes: 1024 * 1024 }
const query = { isRegex: false, ignoresCase: false, maxMatches: 100, maxBytes: 100_000, timeoutMs: 60_000 }

export const describeSearch: Part = (subject) => {
  for (const state of ['running', 'stopped'] as const) {
    describe(`in a computer that is ${state}`, () => {
      let files: ComputerFiles
      before(async () => {
        const id = await subject().computer()
        const all = subject().driver.files(id)
        const contents = {
          'src/main.py': 'import os\nprint("a+b")\nprint("Ä")\n',
          'src/deep/other.py': 'print(1)\r\nlast',
          'new\nline': 'print in a strange name\n',
          '.hidden/file': 'print\n',
          'ignored.log': 'print\n',
          'build/out.py': 'print\n',
          '.gitignore': '# comment\n*.log\nbuild/\n',
          binary: 'print\0print\n',
          'long.txt': `${'x'.repeat(100_000)}print`,
        }
        for (const [path, content] of Object.entries(contents))
          await all.write(`/workspace/s/${path}`, Buffer.from(content), options)
        await subject().shell(
          id,
          'ln -s src /workspace/s/link; ln -s /etc /workspace/s/etc; echo root > /workspace/outside',
        )
        if (state === 'stopped') await subject().driver.stop(id, 0)
        files = all.below('/workspace/s')
      })
      const search = async (pattern: string, more: Partial<SearchQuery> & { path?: string } = {}) => {
        const { matches, truncated } = await files.search(more.path ?? '/workspace/s', { ...query, ...more, pattern })
        const found = matches.map(({ path, line, text }) => `${path.replace('/workspace/s/', '')}:${line}:${text}`)
        return truncated ? [...found, 'more'] : found
      }

      test('search() finds lines in the order of paths, without hidden, ignored and binary files and links', async () => {
        const found = await search('print')
        assert.match(found.shift()!, /^long\.txt:1:x{4096} \[.*\]$/)
        assert.deepEqual(found, [
          'new\nline:1:print in a strange name',
          'src/deep/other.py:1:print(1)\r',
          'src/main.py:2:print("a+b")',
          'src/main.py:3:print("Ä")',
        ])
        assert.deepEqual(await search('root'), [])
        assert.deepEqual(await search('nowhere'), [])
      })

      test('search() takes a text or an expression, with or without regard to case', async () => {
        assert.deepEqual(await search('a+b'), ['src/main.py:2:print("a+b")'])
        assert.deepEqual(await search('a+b', { isRegex: true }), [])
        assert.deepEqual(await search('^l[a-t]+$', { isRegex: true }), ['src/deep/other.py:2:last'])
        assert.deepEqual(await search('ä', { ignoresCase: true }), ['src/main.py:3:print("Ä")'])
        assert.deepEqual(await search('ä'), [])
        assert.deepEqual(await search('-e'), [])
        for (const pattern of ['(', '[z-a]', 'a{2,1}', '\0', 'a\nb'])
          await assert.rejects(search(pattern, { isRegex: true }), { code: 'invalid_request' }, pattern)
      })

      test('search() ends with the wanted number of lines or bytes, and says so', async () => {
        assert.deepEqual(await search('print(', { maxMatches: 2 }), [
          'src/deep/other.py:1:print(1)\r',
          'src/main.py:2:print("a+b")',
          'more',
        ])
        assert.deepEqual((await search('print', { maxBytes: 10 })).at(-1), 'more')
        assert.equal((await search('print(', { maxMatches: 3 })).length, 3)
      })

      test('search() searches a file or a directory by its path, and nothing outside', async () => {
        assert.deepEqual(await search('import', { path: '/workspace/s/src/main.py' }), ['src/main.py:1:import os'])
        assert.deepEqual(await search('last', { path: '/workspace/s/src/deep' }), ['src/deep/other.py:2:last'])
        assert.deepEqual(await search('last', { path: '/workspace/s/link' }), ['link/deep/other.py:2:last'])
        for (const path of ['/workspace', '/workspace/outside', '/workspace/s/etc', '/workspace/s/etc/passwd'])
          await assert.rejects(search('root', { path }), { code: 'invalid_request' }, path)
        await assert.rejects(search('root', { path: '/workspace/s/none' }), { code: 'not_found' })
      })
    })
  }
}
