import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { restoreNull } from './restore-null.ts'

function nullNode(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-null-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'null')
  execFileSync('mknod', ['-m', '666', path, 'c', '1', '3'])
  return path
}

for (const [what, spoil] of [
  ['that a guest owns', (path: string) => chownSync(path, 2_000_001_000, 2_000_001_000)],
  ['that others cannot access', (path: string) => chmodSync(path, 0o600)],
] as const)
  test(`a null device ${what} is given back`, async (t) => {
    const path = nullNode(t)
    spoil(path)
    assert.equal(await restoreNull(path), true)
    const { uid, gid, mode } = statSync(path)
    assert.deepEqual([uid, gid, mode & 0o7777], [0, 0, 0o666])
  })

test('a null device with the right mode is left alone, whichever user of the host owns it', async (t) => {
  const path = nullNode(t)
  chownSync(path, 0, 5)
  assert.equal(await restoreNull(path), false)
  assert.equal(statSync(path).gid, 5)
})
