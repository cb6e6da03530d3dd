import { execFileSync } from 'node:child_process'

/**
 * Returns the files that differ from where this branch left main, committed or not, untracked ones too; on main, those
 * that differ from the last commit. Relative to the repository, both names of one that was moved.
 * @param {string} root of the repository
 */
export function changedFiles(root) {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const names = (/** @type {string} */ list) => list.split('\0').filter(Boolean)
  return [
    ...names(git('diff', '--name-only', '--no-renames', '-z', base(git))),
    ...names(git('ls-files', '--others', '--exclude-standard', '-z')),
  ]
}

/** @param {(...args: string[]) => string} git */
function base(git) {
  for (const main of ['main', 'origin/main']) {
    try {
      return git('merge-base', 'HEAD', main).trim()
    } catch {
      // A clone need not have that branch.
    }
  }
  return 'HEAD'
}
