import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { changedFiles } from './changed-files.js'

/** @param {import('node:test').TestContext} t */
function repository(t, branch = 'main') {
  const root = mkdtempSync(join(tmpdir(), 'carrel-changed-'))
  t.after(() => rmSync(root, { recursive: true }))
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: root,
      stdio: 'ignore',
    })
  const write = (/** @type {string} */ file, text = file) => writeFileSync(join(root, file), text)
  git('init', '-b', branch)
  write('kept')
  write('moved')
  git('add', '.')
  git('commit', '-m', 'first')
  return { root, git, write }
}

test('on main what differs from the last commit has changed, untracked files too, ignored ones not', (t) => {
  const { root, git, write } = repository(t)
  assert.deepEqual(changedFiles(root), [])
  write('.gitignore', 'ignored\n')
  write('ignored')
  write('kept', 'edited')
  write('staged')
  git('add', 'staged')
  renameSync(join(root, 'moved'), join(root, 'a name "with" ü'))
  assert.deepEqual(changedFiles(root), ['kept', 'moved', 'staged', '.gitignore', 'a name "with" ü'])
})

test('on a branch its commits count, and those of main since then do not', (t) => {
  const { root, git, write } = repository(t)
  git('checkout', '-b', 'topic')
  write('of the branch')
  git('add', '.')
  git('commit', '-m', 'second')
  git('checkout', 'main')
  write('of main')
  git('add', '.')
  git('commit', '-m', 'third')
  git('checkout', 'topic')
  assert.deepEqual(changedFiles(root), ['of the branch'])
})

test('without a main, changes since the last commit count', (t) => {
  const { root, write } = repository(t, 'other')
  write('kept', 'edited')
  assert.deepEqual(changedFiles(root), ['kept'])
})
