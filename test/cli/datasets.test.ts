import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { template } from '../../src/cli/datasets/template.ts'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { sweBenchRow } from '../environments/fixtures/tasks.ts'
import { TestApp } from '../support/test-app.ts'

describe('carrel datasets', { timeout: 120_000 }, () => {
  let server: TestApp
  const home = new CliHome()
  before(async () => {
    server = await TestApp.start()
  })
  after(async () => {
    home[Symbol.dispose]()
    await server.stop()
  })

  const run = (...args: string[]) =>
    home.run(['datasets', ...args], { env: { CARREL_URL: server.url, CARREL_TOKEN: server.token } })
  const output = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run(...args)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }
  const folder = join(home.path, 'greetings')

  test('writes a dataset, adds it, shows it, adds a change, and removes it', async () => {
    const none = await run()
    assert.deepEqual([none.exitCode, none.stdout], [0, ''])
    assert.match(none.stderr, /no dataset yet: "carrel datasets new <folder>" writes one/)
    assert.match(await output('new', folder), /has a task in hello\/: .* "carrel datasets add \S+greetings"\n$/)
    assert.match((await run('new', folder)).stderr, /it is not empty/)
    assert.equal(await output('add', folder), 'greetings: 1 added\n')
    assert.equal(await output('add', folder), 'greetings is as it was: 1 samples\n')
    writeFileSync(join(folder, 'hello/instruction.md'), 'Write "hello" into greeting.txt, politely.\n')
    assert.equal(await output('add', folder, '--change', 'Politeness'), 'greetings: 1 changed\n')
    assert.match(await output(), /^DATASET +SAMPLES +ADDED +ABOUT\ngreetings +1 +\d{4}-.* My first tasks\n$/)
    assert.match(await output('show', 'greetings'), /^SAMPLE +VERSION +CHANGED +TASK\nhello +2 .*politely\.\n$/)
    assert.match(
      await output('show', 'greetings', 'hello'),
      /^Version +2: Politeness$[^]*\n\nWrite "hello" into .*\n$/m,
    )
    assert.match((await run('show', 'greetings', 'bye')).stderr, /dataset "greetings" does not have it/)
    assert.match((await run('show', 'unknown')).stderr, /it does not exist, or has no samples/)
    assert.equal(await output('remove', '--yes', 'greetings', 'hello'), 'hello is removed\n')
    assert.equal(await output('remove', '--yes', 'greetings'), 'greetings is removed\n')
    assert.equal((await run('remove', '--yes', 'greetings')).exitCode, 1)
  })

  test('says of each task why it is refused, and exits with 1 though the others are added', async () => {
    const rows = join(home.path, 'rows.jsonl')
    writeFileSync(
      rows,
      [sweBenchRow, { ...sweBenchRow, instance_id: 'b', FAIL_TO_PASS: [] }]
        .map((row) => JSON.stringify(row))
        .join('\n'),
    )
    const { exitCode, stdout, stderr } = await run('add', rows, '--name', 'swe')
    assert.deepEqual([exitCode, stdout], [1, 'swe: 1 added, 1 refused\n'])
    assert.equal(
      stderr,
      'rows.jsonl:2: rows.jsonl:2: FAIL_TO_PASS: names no test, so that there is nothing to verify\n',
    )
    rmSync(join(folder, 'hello/tests'), { recursive: true })
    assert.match((await run('add', folder)).stderr, /no task can be added; hello: tests\/test\.sh: is missing/)
    const missing = await run('add', join(home.path, 'nowhere'))
    assert.deepEqual([missing.exitCode, /ENOENT|no such file/.test(missing.stderr)], [1, true])
  })

  test('adds a folder of a git repository, and none outside of it', async () => {
    const repository = join(home.path, 'tasks.git')
    await output('new', join(repository, 'easy'))
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args])
    git('init', '--quiet')
    git('add', '.')
    git('commit', '--quiet', '--message=First')
    assert.equal(await output('add', `file://${repository}`), 'tasks: 1 added\n')
    assert.equal(await output('add', `file://${repository}`, '--path', 'easy'), 'easy: 1 added\n')
    for (const path of ['hard', '../..', 'easy/dataset.toml'])
      assert.match(
        (await run('add', `file://${repository}`, '--path', path)).stderr,
        /the repository has no such folder/,
      )
    assert.match((await run('add', `file://${repository}-none`)).stderr, /Cannot clone .*: git ended with code 128/)
  })

  test('the template is what the documentation shows', async () => {
    const page = readFileSync(new URL('../../docs/DATASETS.md', import.meta.url), 'utf8')
    for (const [path, content] of Object.entries(template)) {
      assert.ok(page.includes(path), path)
      assert.ok(page.includes(`\n${content}\`\`\``), path)
    }
    assert.ok(existsSync(join(folder, 'dataset.toml')))
  })
})
