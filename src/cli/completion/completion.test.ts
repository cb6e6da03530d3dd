import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { fakeComputer } from '../../../sdk/testing/fake-computers.ts'
import { fakeSandbox } from '../../../sdk/testing/fake-sandboxes.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome, mainPath } from '../testing/run-cli.ts'
import { verbs } from '../verbs.ts'
import { wordList } from './word-list.ts'

const run = promisify(execFile)
const home = new CliHome()
let server: FakeServer
const bin = join(home.path, 'bin')

const hasShell = (shell: string) => ['/bin', '/usr/bin'].some((folder) => existsSync(join(folder, shell)))
const missing = (shell: string) => !hasShell(shell) && `${shell} is not installed`

before(async () => {
  server = await FakeServer.start()
  mkdirSync(bin)
  for (const name of ['carrel', 'ppod']) {
    const program = `#!/bin/sh\nCARREL_CLI_NAME=${name} exec '${process.execPath}' '${mainPath}' "$@"\n`
    writeFileSync(join(bin, name), program, { mode: 0o755 })
  }
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, exitCode } = await home.run(['completion', shell])
    assert.equal(exitCode, 0)
    writeFileSync(join(home.path, `completion.${shell}`), stdout)
  }
  writeFileSync(join(home.path, 'local.txt'), '')
  await home.run(['start', '--id', 'web-server', 'sleep 600'], { server })
  await home.run(['start', '--id', 'over', 'true'], { server })
  await home.run(['mem:write', 'notes/plan.md'], { server, input: 'x' })
  server.computers.push(fakeComputer('builder'), fakeComputer('bench', { state: 'stopped' }))
  server.datasets.push({ name: 'greetings', description: '', sample_count: 1, created_at: '2026-01-26T14:05:00.000Z' })
  server.sandboxes.push(fakeSandbox(''), fakeSandbox('build'), fakeSandbox('old', { state: 'stopped' }))
  for (const path of ['workspace/remote.txt', 'workspace/src/main.ts', 'workspace/$(touch hacked)', 'etc/hosts'])
    await home.run(['write', `/${path}`], { server, input: 'x' })
})
after(async () => {
  await server[Symbol.asyncDispose]()
  home[Symbol.dispose]()
})

const env = () => ({ ...home.env({ server }), PATH: `${bin}:${process.env['PATH']}` })

/** Words that every shell has to find behind a line. */
const cases: [line: string, found: string[], absent: string[]][] = [
  ['carrel ex', ['exec', 'expose'], ['ps']],
  ['ppod mem:', ['mem:write', 'mem:read', 'mem:ls', 'mem:rm', 'mem:usage'], ['exec']],
  ['carrel --json mem:wr', ['mem:write'], ['mem:read']],
  ['carrel read --ou', ['--output'], ['--session']],
  ['carrel ls --se', ['--session'], ['--output']],
  ['carrel kill web', ['web-server'], ['over']],
  ['carrel mem:read notes/', ['notes/plan.md'], []],
  ['carrel write /x loc', ['local.txt'], []],
  ['carrel read rem', ['remote.txt'], ['local.txt']],
  ['carrel rm src/', ['src/main.ts'], []],
  ['carrel --session old read rem', [], ['remote.txt']],
  ['carrel read --session=old rem', [], ['remote.txt']],
  ['carrel logs --session build web', ['web-server'], []],
  ['carrel cp :sr', [':src/'], []],
  ['carrel cp loc', ['local.txt'], ['remote.txt']],
  ['carrel cp build:rem', ['build:remote.txt'], []],
  ['carrel ps --session bu', ['build'], ['old']],
  ['carrel use o', ['old'], ['build']],
  ['carrel sandboxes ', ['ls', 'stop', 'rm'], []],
  ['carrel sandboxes rm bu', ['build'], []],
  ['carrel computers st', ['start', 'stop'], ['restart', 'builder']],
  ['carrel computers stop bu', ['builder'], ['build', 'bench']],
  ['carrel computers get builder be', ['bench'], ['build']],
  ['carrel computers snapshots ', ['ls', 'create', 'rm', 'builder'], ['fork']],
  ['carrel computers snapshots create b', ['builder', 'bench'], ['build']],
  ['carrel computers open --v', ['--vnc', '--viewer'], []],
  ['carrel datasets ', ['ls', 'show', 'new', 'add', 'remove'], ['greetings']],
  ['carrel datasets show gr', ['greetings'], ['local.txt']],
  ['carrel datasets add loc', ['local.txt'], []],
  ['carrel ssh bu', ['builder'], ['build']],
  ['carrel ssh-config be', ['bench'], []],
  ['carrel attach web', ['web-server'], ['over']],
  ['carrel completion z', ['zsh'], ['bash']],
  ['carrel li', ['limits'], ['ls']],
  ['carrel keys ', ['list', 'create', 'revoke'], ['exec']],
  ['carrel keys create ', [], ['revoke', 'exec']],
  ['carrel account ', ['delete', 'cancel-deletion'], ['verify']],
  ['carrel ledger v', ['verify'], []],
  ['carrel nodes r', ['remove'], []],
  ['carrel workspaces --json me', ['members'], ['leave']],
  ['carrel keys --s', ['--scope'], ['--expires', '--session']],
  ['carrel limits --', ['--day', '--month', '--key'], ['--scope']],
  ['carrel help mem:us', ['mem:usage'], ['mem:ls']],
]

function check(line: string, words: string[], found: string[], absent: string[]) {
  for (const word of found) assert.ok(words.includes(word), `${line}: ${word} is not among ${words.join(' ')}`)
  for (const word of absent) assert.ok(!words.includes(word), `${line}: ${word} is among ${words.join(' ')}`)
}

test('the actions of a command are completed and explained by its help, and nothing else is accepted', async () => {
  const commands = await wordList()
  const withActions = commands.filter(({ actions }) => actions.length > 0)
  assert.deepEqual(withActions.map(({ name }) => name).toSorted(), [
    'account',
    'computers',
    'database',
    'datasets',
    'images',
    'keys',
    'ledger',
    'nodes',
    'sandboxes',
    'workspaces',
  ])
  for (const { name, operands } of commands) {
    const { actions = [], usage, description } = await verbs[name]!.load()
    assert.equal(operands[0] === 'actions', actions.length > 0, name)
    const text = usage + description
    for (const action of actions.filter((action) => action !== 'list'))
      assert.match(text, new RegExp(`\\b${action}\\b`), name)
    // Bare words of the usage: neither the command itself nor a name in brackets.
    const bareWords = usage
      .replace(name, '')
      .replaceAll(/\[options\]|<[^>]*>|\[[a-z]+\]/g, '')
      .match(/[a-z][a-z-]*/g)
    for (const word of bareWords ?? []) assert.ok(actions.includes(word), `${name} ${word}`)
    if (actions.length === 0) continue
    const { exitCode, stderr } = await home.run([name, 'frobnicate'])
    assert.equal(exitCode, 2)
    assert.ok(
      stderr.includes(`Cannot do "frobnicate" with ${name}: it has to be one of ${actions.join(', ')}\n`),
      stderr,
    )
  }
})

test('an unknown shell is refused with a list of the known ones', async () => {
  const { exitCode, stderr } = await home.run(['completion', 'tcsh'])
  assert.equal(exitCode, 2)
  assert.match(stderr, /it has to be one of bash, zsh, fish/)
})

test('bash completes', { skip: missing('bash') }, async () => {
  for (const [line, found, absent] of cases) {
    const script = `
      source completion.bash
      COMP_LINE=$1 COMP_POINT=\${#1}
      COMP_WORDS=(\${1//:/ : })
      _carrel
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await run('bash', ['--norc', '-c', script, 'bash', line], { env: env(), cwd: home.path })
    assert.equal(stderr, '', line)
    // What is before a colon is there already.
    const current = line.split(' ').at(-1)!
    const typed = current.slice(0, current.lastIndexOf(':') + 1)
    check(
      line,
      stdout
        .trimEnd()
        .split('\n')
        .map((word) => typed + word),
      found,
      absent,
    )
  }
})

test('bash runs nothing of a name from a sandbox, and quotes it', { skip: missing('bash') }, async () => {
  const script = `
    source completion.bash
    COMP_LINE='carrel read ' COMP_POINT=12 COMP_WORDS=(carrel read '')
    _carrel
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['--norc', '-c', script], { env: env(), cwd: home.path })
  assert.ok(stdout.includes(String.raw`\$\(touch\ hacked\)`), stdout)
  assert.ok(!existsSync(join(home.path, 'hacked')))
})

test('fish completes', { skip: missing('fish') }, async () => {
  for (const [line, found, absent] of cases) {
    const ask = ['--no-config', '-c', 'source completion.fish; complete -C $argv[1]', '--', line]
    const { stdout, stderr } = await run('fish', ask, { env: env(), cwd: home.path })
    assert.equal(stderr, '')
    const words = stdout.split('\n').map((text) => text.split('\t')[0]!)
    check(line, words, found, absent)
  }
})

describe('zsh completes', { skip: missing('zsh'), timeout: 120_000, concurrency: 5 }, () => {
  /** One line at a terminal, with Tab behind it; the answer is the line as it then stands, or the list below it. */
  const complete = (line: string) =>
    new Promise<string>((resolve, reject) => {
      const child = spawn('script', ['-qfec', 'zsh -f -i', '/dev/null'], {
        env: { ...env(), TERM: 'dumb', COLUMNS: '200', PS1: '' },
        cwd: home.path,
      })
      let seen = ''
      const steps: [expected: RegExp, input: string][] = [
        [
          /^/,
          'PROMPT="rea""dy> "; stty cols 200; autoload -Uz compinit; compinit -u -D; source completion.zsh; setopt no_beep\n',
        ],
        [/ready> /, `${line}\t\t`],
      ]
      const step = () => {
        while (steps[0]?.[0].test(seen)) child.stdin.write(steps.shift()![1])
      }
      const expected = setTimeout(() => child.kill('SIGKILL'), 60_000)
      let quiet: NodeJS.Timeout | undefined
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString()
        step()
        // The shell says nothing when it is done: it is over when it has said something and is silent, which a call of the program also is for a while.
        clearTimeout(quiet)
        if (steps.length === 0 && seen.split('ready> ').at(-1)!.length > line.length)
          quiet = setTimeout(() => child.kill('SIGKILL'), 3000)
      })
      child.on('error', reject)
      child.on('close', () => {
        clearTimeout(expected)
        clearTimeout(quiet)
        resolve(seen.slice(seen.indexOf('ready> ')))
      })
      step()
    })

  for (const [line, found, absent] of cases)
    test(line, async () => {
      const answer = await complete(line)
      const typed = line.split(' ').at(-1)!
      const words = new Set(
        answer.split(/[\s\r\n\b]+/).flatMap((word) => [word, word.replace(/^ready>/, ''), word.replace(/=$/, '')]),
      )
      // oxlint-disable-next-line no-control-regex -- a single answer is put behind what was typed, letter by letter.
      const completed = answer.replaceAll(/\r|\u0007|.\u0008/g, '')
      for (const word of found)
        assert.ok(words.has(word) || completed.includes(word), `${word} is not in ${JSON.stringify(answer)} (${typed})`)
      for (const word of absent) assert.ok(!words.has(word), `${word} is in ${JSON.stringify(answer)}`)
    })
})
