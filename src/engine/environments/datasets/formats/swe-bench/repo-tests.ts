/** How the tests of a repository are run, and who reads their log, where SWE-bench has something other than pytest. */
const repos: Record<string, { command: string; parser: string }> = {
  'django/django': {
    command: './tests/runtests.py --verbosity 2 --settings=test_sqlite --parallel 1',
    parser: 'django',
  },
  'sympy/sympy': { command: 'bin/test -C --verbose', parser: 'sympy' },
  'sphinx-doc/sphinx': { command: 'tox --current-env -epy39 -v --', parser: 'pytest' },
}

export function testsOf(repo: string): { command: string; parser: string } {
  return (Object.hasOwn(repos, repo) ? repos[repo] : undefined) ?? { command: 'pytest -rA', parser: 'pytest' }
}
