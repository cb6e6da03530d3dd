import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome, mainPath } from '../testing/run-cli.ts'

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

test('login saves a token that the server accepts, and the next command uses it', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const { exitCode, stdout } = await home.run(['login', server.token, '--url', server.url])
  assert.equal(stdout, `Logged in to ${server.url}; the token is saved in ~/.carrel/config.json\n`)
  assert.equal(exitCode, 0)
  assert.deepEqual(readJson(join(home.path, '.carrel/config.json')), { token: server.token, url: server.url })
  assert.equal((await home.run(['ps'])).exitCode, 0)
})

test('ppod login saves the token where the document says', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const env = { PAPERPOD_URL: server.url }
  const { stdout } = await home.run(['login', server.token, '--json'], { name: 'ppod', env })
  assert.deepEqual(JSON.parse(stdout), {
    url: server.url,
    config: join(home.path, '.paperpod/config.json'),
    overriddenBy: null,
  })
  assert.equal(readJson(join(home.path, '.paperpod/config.json')).token, server.token)
})

test('a token that the server refuses is not saved', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const { exitCode, stderr } = await home.run(['login', 'wrong', '--url', server.url])
  assert.equal(exitCode, 1)
  assert.match(stderr, /UNAUTHENTICATED/)
  assert.deepEqual(readdirSync(home.path), [])
})

test('a server without balances checks the token all the same', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  server.hasBalance = false
  assert.equal((await home.run(['login', server.token, '--url', server.url])).exitCode, 0)
  assert.equal((await home.run(['login', 'wrong', '--url', server.url])).exitCode, 1)
})

test('the file keeps its other keys, stays a link, and only the user can read it', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const real = join(home.path, 'dotfiles.json')
  writeFileSync(real, JSON.stringify({ theme: 'dark', token: 'old' }), { mode: 0o644 })
  mkdirSync(join(home.path, '.carrel'))
  symlinkSync(real, join(home.path, '.carrel/config.json'))
  await home.run(['login', server.token, '--url', server.url])
  assert.deepEqual(readJson(real), { theme: 'dark', token: server.token, url: server.url })
  assert.equal(statSync(real).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(home.path, '.carrel')), ['config.json'])
  assert.deepEqual(readdirSync(home.path).toSorted(), ['.carrel', 'dotfiles.json'])
})

test('the token can come from stdin', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const { exitCode } = await home.run(['login', '--url', server.url], { input: `${server.token}\n` })
  assert.equal(exitCode, 0)
  const { exitCode: empty, stderr } = await home.run(['login', '--url', server.url], { input: '' })
  assert.equal(empty, 2)
  assert.match(stderr, /The token is empty/)
})

test('a variable that hides the saved token is reported', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const { stderr } = await home.run(['login', server.token], { server })
  assert.equal(stderr, 'carrel: CARREL_TOKEN is set and takes precedence over the saved token\n')
})

/** What a terminal shows of a command, to which a person types an answer when a question has come. */
async function inTerminal(home: CliHome, args: string[], answers: [question: string, answer: string][]) {
  const command = `${process.execPath} ${mainPath} ${args.join(' ')}`
  const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], { env: { ...home.env(), TERM: 'xterm' } })
  const left = [...answers]
  let screen = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    const [question, answer] = left[0] ?? []
    if (question === undefined || !screen.includes(question, seen)) return
    seen = screen.indexOf(question, seen) + question.length
    left.shift()
    child.stdin.write(answer!)
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, screen }
}

for (const [what, pasted] of Object.entries({
  link: 'https://carrel.example.com/login/callback?token=code',
  token: 'pp_sess_fake',
}))
  test(`without a token it asks for the address, and takes the ${what}, which it does not show`, async () => {
    await using server = await FakeServer.start()
    using home = new CliHome()
    const { exitCode, screen } = await inTerminal(
      home,
      ['login', '--url', server.url],
      [
        ['Your mail address: ', 'you@example.com\r'],
        ['not shown here): ', `${pasted}\r`],
      ],
    )
    assert.equal(exitCode, 0, screen)
    assert.match(screen, /A link was requested for you@example\.com\. Check your email/)
    assert.ok(!screen.includes(pasted), screen)
    assert.deepEqual(server.requestsTo('/login')[0]!.body, { email: 'you@example.com' })
    assert.equal(readJson(join(home.path, '.carrel/config.json')).token, server.token)
  })

test('a link that does not work saves nothing, nor does giving up', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const address = ['login', 'you@example.com', '--url', server.url]
  const used: [string, string] = ['not shown here): ', 'https://carrel.example.com/login/callback?token=x\r']
  const wrong = await inTerminal(home, address, [used, used, used])
  assert.equal(wrong.exitCode, 1)
  assert.match(wrong.screen, /The link was used already/)
  const ended = await inTerminal(home, address, [['not shown here): ', '\u0003']])
  assert.equal(ended.exitCode, 130, ended.screen)
  assert.deepEqual(readdirSync(home.path), [])
})
