import assert from 'node:assert/strict'
import { test } from 'node:test'
import { programError } from './program-error.ts'

test('programError() says what a program of the sandbox has printed in the words of the command line', () => {
  const advice = { 'Is a directory': 'it is a folder; -r deletes it' }
  const cases = {
    "rm: cannot remove 'a': Is a directory\n": 'Cannot remove "a": it is a folder; -r deletes it',
    "rm: cannot remove 'a b': Permission denied\nrm: cannot remove 'c': x\n":
      'Cannot remove "a b": permission denied (and 1 more)',
    'mkdir: cannot create directory ‘a/b’: File exists': 'Cannot create directory "a/b": it exists already',
    "rm: cannot remove 'a': Some other reason": 'Cannot remove "a": Some other reason',
    "rm: cannot remove 'a'$'\\n''b': Is a directory": "Cannot remove 'a'$'\\n''b': Is a directory",
    "rm: it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe":
      'Cannot remove "/": it is the root folder',
    "rm: it is dangerous to operate recursively on '//' (same as '/')\nrm: use --no-preserve-root to override this failsafe":
      'Cannot remove "//": it is the root folder',
    "rm: refusing to remove '.' or '..' directory: skipping 'a/..'\nrm: refusing to remove '.' or '..' directory: skipping '.'":
      'Cannot remove "a/..": a path to delete cannot end in "." or ".." (and 1 more)',
    'rm failed': 'Rm failed',
    '': '',
  }
  for (const [stderr, text] of Object.entries(cases)) assert.equal(programError(stderr, advice), text)
})
