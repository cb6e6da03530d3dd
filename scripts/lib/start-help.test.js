import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)
const start = fileURLToPath(new URL('scripts/start.js', root))

/**
 * Runs `npm start` with an invalid port, which ends the process at once if it starts a server.
 * @param {string[]} args
 */
function run(...args) {
  const env = { ...process.env, CARREL_PORT: 'none' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [start, ...args], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

test('npm start -- --help explains npm start and starts nothing', () => {
  for (const option of ['--help', '-h']) {
    const { status, stdout, stderr } = run(option)
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^Usage: npm start\n/)
    assert.match(stdout, /docs\/SETTINGS\.md/)
  }
})

test('the help names existing settings with their defaults', () => {
  const page = readFileSync(new URL('docs/SETTINGS.md', root), 'utf8')
  const shown = [...run('--help').stdout.matchAll(/^ {2}(CARREL_\w+) .*?(?:\(default: (.*)\))?$/gm)]
  assert.ok(shown.length > 3)
  for (const [, name = '', value] of shown)
    assert.ok(page.includes(value === undefined ? `| \`${name}\` |` : `| \`${name}\` | \`${value}\` |`), name)
})

test('npm start refuses an unknown option', () => {
  for (const args of [['--port=1'], ['--help', 'x'], ['']]) {
    const { status, stdout, stderr } = run(...args)
    assert.deepEqual([status, stdout], [2, ''])
    assert.equal(
      stderr,
      `Cannot use "${args.at(-1)}": npm start takes only -- --help; docs/SETTINGS.md lists the settings.\n`,
    )
  }
})
