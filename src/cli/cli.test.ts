import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { FakeServer } from '../../sdk/testing/fake-server.ts'
import { FakeFailure } from '../../sdk/testing/fake-failure.ts'
import { parseCall } from './arguments.ts'
import { programHelp, verbHelp } from './help-text.ts'
import { currentProgram, type Program } from './program.ts'
import { CliHome } from './testing/run-cli.ts'
import { groups, verbs } from './verbs.ts'

const names = Object.keys(verbs)

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const home = new CliHome()
after(() => home[Symbol.dispose]())

test('--version shows the name that was called and the version of the package, without a server', async () => {
  assert.equal((await home.run(['--version'])).stdout, `carrel ${version}\n`)
  assert.equal((await home.run(['-v'], { name: 'ppod' })).stdout, `ppod ${version}\n`)
  const { name, version: reported } = JSON.parse((await home.run(['--version', '--json'])).stdout)
  assert.deepEqual([name, reported], ['carrel', version])
})

test('version also shows the version of the server, and warns of one that does not fit', async () => {
  await using server = await FakeServer.start()
  const patch = version.replace(/\d+$/, '99')
  for (const [of, warns] of [
    [version, false],
    [patch, false],
    ['9.8.7', true],
  ] as const) {
    server.version = of
    const { exitCode, stdout, stderr } = await home.run(['version'], { server })
    assert.deepEqual([exitCode, stdout], [0, `carrel ${version}\nserver ${of} at ${server.url}\n`])
    assert.equal(/fits better/.test(stderr), warns, `${of}: ${stderr}`)
  }
  await server[Symbol.asyncDispose]()
  const away = await home.run(['version'], { server })
  assert.equal(away.exitCode, 0)
  assert.match(away.stdout, /^carrel .*\nserver unknown: Cannot reach "http:\/\/\S+": connection refused\n$/)
})

test('help lists every command in groups, as does the program without a command', async () => {
  const { stdout, exitCode } = await home.run(['help'], { name: 'ppod' })
  assert.equal(exitCode, 0)
  for (const verb of names) assert.match(stdout, new RegExp(`^  ${verb}\\b`, 'm'))
  for (const group of groups) assert.match(stdout, new RegExp(`^${group}:\n  \\S`, 'm'))
  assert.match(stdout, /^Usage: ppod /m)
  assert.match(stdout, /~\/\.paperpod\/config\.json, else from ~\/\.carrel/)
  const bare = await home.run([], { name: 'ppod' })
  assert.deepEqual([bare.exitCode, bare.stdout], [0, stdout])
})

test('every command is explained in 80 columns, with its own options and with examples that it accepts', async () => {
  const program = { ...currentProgram(), name: 'carrel' as const }
  for (const name of names) {
    const verb = await verbs[name]!.load()
    const help = verbHelp(program, verb)
    assert.match(help, new RegExp(`^Usage: carrel ${name}\\b`))
    const own = new Set([...Object.keys(verb.options), ...verb.shared])
    const shown = [...help.matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)].map(([, option]) => option!)
    assert.deepEqual(shown, [...own], name)
    for (const [line] of verb.examples) {
      // As a shell splits it, without redirections.
      const [first, ...words] = [...line.replace(/ [<>].*/, '').matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, word]) => quoted ?? word!,
      )
      assert.equal(first, name)
      const { operands, values } = parseCall(words, verb)
      assert.ok(operands.length >= verb.operands[0] && operands.length <= verb.operands[1], line)
      for (const option of Object.keys(values)) assert.ok(own.has(option) || option === 'url', line)
    }
  }
  for (const text of [programHelp(program), ...(await helps(program))])
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
})

async function helps(program: Program): Promise<string[]> {
  return Promise.all(names.map(async (name) => verbHelp(program, await verbs[name]!.load())))
}

test('--help, -h and help show the same', async () => {
  const { exitCode, stdout, stderr } = await home.run(['exec', '--help'])
  assert.deepEqual([exitCode, stderr], [0, ''])
  assert.equal((await home.run(['exec', '-h'])).stdout, stdout)
  assert.equal((await home.run(['help', 'exec'])).stdout, stdout)
  assert.match((await home.run(['help', 'exce'])).stderr, /did you mean "exec"/)
})

test('an unknown command exits with 2 and names the nearest', async () => {
  const { exitCode, stdout, stderr } = await home.run(['exce', 'ls'])
  assert.deepEqual([exitCode, stdout], [2, ''])
  assert.match(stderr, /^carrel: Unknown command "exce": did you mean "exec"\?\n/)
  for (const [word, verb] of [
    ['run', 'exec'],
    ['cat', 'read'],
    ['stop', 'kill'],
    ['expsoe', 'expose'],
  ] as const)
    assert.match((await home.run([word, 'x'])).stderr, new RegExp(`"${word}": did you mean "${verb}"\\?`))
  const { stderr: other } = await home.run(['frobnicate'])
  assert.match(other, /^carrel: Unknown command "frobnicate"\n/)
})

test('an unknown option exits with 2 and names the nearest', async () => {
  const { exitCode, stderr } = await home.run(['ls', '--sesion', 'x', '/'])
  assert.equal(exitCode, 2)
  assert.match(
    stderr,
    /^carrel: Unknown option "--sesion": did you mean "--session"\?\n {2}See "carrel ls --help"\.\n$/,
  )
})

test('wrong usage exits with 2 and says what is wrong', async () => {
  const cases: [string[], RegExp][] = [
    [['read'], /An argument is missing: the command is "carrel read/],
    [['kill', 'a', 'b'], /Cannot use "b": the command is "carrel kill/],
    [['ls', '--session'], /"--session" needs a value: --session=<name>/],
    [['ls', '--session', '--token', 'x'], /"--session" needs a value/],
    [['ls', '--json=yes'], /"--json" takes no value/],
    [['ls', '--timeout', '1.5'], /Cannot use "1.5" as the time limit/],
    [['expose', '99999'], /Cannot use "99999" as a port: .*from 1 to 65535/],
    [['expose', '08o'], /Cannot use "08o" as a port/],
    [['cp', '-R', 'src', ':'], /Unknown option "-R": a folder is copied whole/],
    [['cp', '-ra', '--recursive', 'src', 'dist'], /Exactly one of the two has to be in a sandbox/],
    [['exec', '--oneline', 'git'], /Unknown option "--oneline"/],
    [['exec', '--lang', 'ruby', 'x'], /Cannot run the language "ruby": .*python/],
    [['exec', '--env', '=x', 'true'], /Cannot use "=x" as a variable/],
    [['exec', '--env', 'NOT_SET_HERE', 'true'], /"NOT_SET_HERE": it is not set here/],
    [['exec', '--no-tty', '-t', 'true'], /"--tty" and "--no-tty" together/],
    [['ls', '--url', 'localhost:1'], /Cannot use "localhost:1" as the server's address/],
  ]
  for (const [args, expected] of cases) {
    const { exitCode, stdout, stderr } = await home.run(args)
    assert.deepEqual([exitCode, stdout], [2, ''], args.join(' '))
    assert.match(stderr, expected)
  }
})

test('options may precede or follow the command', async () => {
  await using server = await FakeServer.start()
  await home.run(['--session', 's1', 'ps'], { server })
  await home.run(['ps', '--session=s2'], { server })
  const sessions = server.requestsTo('/process/list').map(({ body }) => (body as { sessionId: string }).sessionId)
  assert.deepEqual(sessions, ['s1', 's2'])
})

test('an unreachable server is reported in one sentence with what to do', async () => {
  const server = await FakeServer.start()
  await server[Symbol.asyncDispose]()
  for (const args of [['ls'], ['exec', 'true'], ['write', '/x']]) {
    const { exitCode, stderr } = await home.run(args, { server })
    const sentence = `Nothing answers at ${server.url}: start the server with "npm start", or name another with --url`
    // Of exec every other code is the command's.
    const expected = args[0] === 'exec' ? 255 : 1
    assert.deepEqual([exitCode, stderr], [expected, `carrel: ${sentence}\n`], args.join(' '))
  }
})

test('a refusal shows message, code and instruction on stderr and exits with 1', async () => {
  await using server = await FakeServer.start()
  const { exitCode, stdout, stderr } = await home.run(['kill', 'none'], { server })
  assert.deepEqual([exitCode, stdout], [1, ''])
  assert.equal(stderr, 'carrel: Process "none" does not exist (NOT_FOUND)\n  "carrel ps" lists the processes.\n')
  const { stderr: json } = await home.run(['kill', 'none', '--json'], { server })
  assert.deepEqual(JSON.parse(json), {
    error: 'Process "none" does not exist',
    code: 'NOT_FOUND',
    action: 'CHECK',
    agentInstruction: '"carrel ps" lists the processes.',
    requestId: 'req-1',
  })
})

test('a message cannot control the terminal', async () => {
  await using server = await FakeServer.start()
  const { stderr } = await home.run(['kill', 'a\u001b[2Jb\r\nc'], { server })
  assert.match(stderr, /"a\\x1b\[2Jb\\x0d\\x0ac"/)
})

test('a refused token is reported with its source', async () => {
  await using server = await FakeServer.start()
  const { exitCode, stderr } = await home.run(['ps'], { server, env: { CARREL_TOKEN: 'wrong' } })
  assert.equal(exitCode, 1)
  assert.match(stderr, /\(UNAUTHENTICATED\)\n {2}The token from CARREL_TOKEN was refused: "carrel login <token>"/)
  const { stderr: without } = await home.run(['exec', 'true'], { env: { CARREL_URL: server.url } })
  assert.match(without, /\(UNAUTHENTICATED\)\n {2}No token was found: "carrel login <token>" saves one/)
})

test('errors are JSON if JSON was requested, whatever failed', async () => {
  const gone = await FakeServer.start()
  await gone[Symbol.asyncDispose]()
  await using server = await FakeServer.start()
  for (const [args, options, code, exitCode] of [
    [['exec', '--json', 'true'], { server: gone }, undefined, 255],
    [['ps', '--json'], { server, env: { CARREL_TOKEN: 'wrong' } }, 'UNAUTHENTICATED', 1],
    [['frobnicate', '--json'], {}, 'USAGE', 2],
    [['exec', '--json', '--lang', 'perl', 'x'], {}, 'USAGE', 2],
    [['read', '--json', '/none'], { server }, 'NOT_FOUND', 1],
  ] as const) {
    const result = await home.run([...args], options)
    const failure = JSON.parse(result.stderr)
    assert.deepEqual([failure.code, result.exitCode, result.stdout], [code, exitCode, ''], args.join(' '))
    assert.equal(typeof failure.error, 'string')
  }
})

test('hints mention commands and options, not HTTP', async () => {
  await using server = await FakeServer.start()
  for (const args of [
    ['read', '/none'],
    ['kill', 'none'],
    ['start', 'sleep 60'],
  ]) {
    const { stderr } = await home.run(args, { server })
    assert.match(stderr, /"?carrel (ls|ps)/, args.join(' '))
    assert.doesNotMatch(stderr, /POST|GET/, args.join(' '))
  }
})

test('a temporary refusal says when to try again', async () => {
  await using server = await FakeServer.start()
  for (const [retryAfter, expected] of [
    [90, /Try again in 90 seconds, at \d{4}-\d\d-\d\d \d\d:\d\d\.\n/],
    [3600, /Try again in 60 minutes, at \d{4}-\d\d-\d\d \d\d:\d\d\.\n/],
  ] as const) {
    const refusal = new FakeFailure(429, 'RATE_LIMITED', 'Cannot take the request now', { retryAfter })
    server.failNext('/process/list', refusal)
    const { exitCode, stderr } = await home.run(['ps'], { server })
    assert.equal(exitCode, 1)
    assert.match(stderr, expected)
    assert.doesNotMatch(stderr, /Retry-After/)
  }
})

test('an answer that is not from a Carrel server is reported as such', async () => {
  const other = createServer((_request, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1')
  await once(other, 'listening')
  try {
    const { port } = other.address() as AddressInfo
    const { exitCode, stderr } = await home.run(['ps', '--url', `http://127.0.0.1:${port}`])
    assert.equal(exitCode, 1)
    assert.match(stderr, /\(HTTP_404\)\n {2}The answer is not from a Carrel server/)
  } finally {
    other.close()
  }
})
