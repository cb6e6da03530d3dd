import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'

describe('POST /execute', () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  const run = (body: Record<string, unknown>) => server.done('/execute', { language: 'shell', sessionId, ...body })

  test('returns the fields of the document, and why the program ended', async () => {
    const begun = performance.now()
    const { durationMs, ...result } = (await run({ code: "print('hello')", language: 'python' })).result
    assert.deepEqual(result, {
      stdout: 'hello\n',
      stderr: '',
      exitCode: 0,
      signal: null,
      reason: 'exited',
      truncated: false,
    })
    assert.ok(durationMs > 0 && durationMs <= performance.now() - begun, `${durationMs} ms`)
  })

  test('returns the ids of the process and the sandbox', async () => {
    const body = await run({ code: 'true' })
    assert.deepEqual(Object.keys(body).toSorted(), ['processId', 'result', 'sessionId', 'status'])
    assert.equal(body.status, 'completed')
    assert.equal(body.sessionId, sessionId)
    assert.match(body.processId, /^[0-9a-z]{20}$/)
  })

  for (const [language, code, stdout] of [
    ['python', 'import sys; print(sys.version_info.major)', '3\n'],
    ['javascript', 'console.log(typeof process.versions.node)', 'string\n'],
    ['shell', 'echo $BASH_VERSION | cut -c1', '5\n'],
  ] as const)
    test(`runs ${language}`, async () => assert.equal((await run({ code, language })).result.stdout, stdout))

  test('a command in code that is too long for an argument does not read the code as stdin', async () => {
    const code = `: ${'x'.repeat(200_000)}\necho first; cat; f() { echo "$0 $1"; }; f a\nexit 3`
    const { stdout, exitCode } = (await run({ code })).result
    assert.deepEqual([stdout, exitCode], ['first\nbash a\n', 3])
  })

  test('runs JavaScript that is too long for an argument like short code', async () => {
    const code = `console.log(require('fs').existsSync('/'), __filename.length > 0, ${JSON.stringify('é'.repeat(100_000))}.length)`
    const { stdout, stderr } = (await run({ code, language: 'javascript' })).result
    assert.equal(stdout, 'true true 100000\n', stderr.slice(0, 300))
  })

  for (const code of [0, 1, 2, 126, 127, 128, 130, 137, 255])
    test(`returns exit code ${code} unchanged`, async () => {
      const { status, result } = await run({ code: `exit ${code}` })
      assert.deepEqual([result.exitCode, result.signal, result.reason, status], [code, null, 'exited', 'completed'])
    })

  for (const [signal, number] of [
    ['SIGKILL', 9],
    ['SIGTERM', 15],
    ['SIGSEGV', 11],
    ['SIGABRT', 6],
    ['SIGPIPE', 13],
  ] as const)
    test(`distinguishes an end by ${signal} from exit code ${128 + number}`, async () => {
      const { status, result } = await run({ code: `kill -${number} $$` })
      assert.deepEqual(
        [result.exitCode, result.signal, result.reason, status],
        [128 + number, signal, 'signalled', 'killed'],
      )
    })

  test('returns stdout and stderr separately', async () => {
    const { result } = await run({ code: 'echo out; echo err >&2; printf end' })
    assert.deepEqual([result.stdout, result.stderr], ['out\nend', 'err\n'])
  })

  test('returns empty output as an empty string', async () => {
    const { result } = await run({ code: 'true' })
    assert.deepEqual([result.stdout, result.stderr, result.stdoutBase64], ['', '', undefined])
  })

  test('returns output that is not UTF-8 also in base64, byte for byte', async () => {
    const { result } = await run({
      code: 'import sys; sys.stdout.buffer.write(bytes(range(256))); sys.stderr.buffer.write(b"\\xff\\x00")',
      language: 'python',
    })
    assert.deepEqual(Buffer.from(result.stdoutBase64, 'base64'), Buffer.from(Array.from({ length: 256 }, (_, i) => i)))
    assert.deepEqual(Buffer.from(result.stderrBase64, 'base64'), Buffer.from([255, 0]))
  })

  test('keeps characters of every width, NUL and no final newline', async () => {
    const text = 'aß€😀\u0000e\u0301'
    const { result } = await run({
      code: `import sys; sys.stdout.write(${JSON.stringify(text)}.encode('utf-16','surrogatepass').decode('utf-16'))`,
      language: 'python',
    })
    assert.equal(result.stdout, text)
    assert.equal(result.stdoutBase64, undefined)
  })

  test('passes the variables of `env`, which override those of the sandbox', async () => {
    const env = { GREETING: 'grüß dich\n"x" $HOME', LANG: 'C', EMPTY: '' }
    const { result } = await run({
      code: 'import os, json; print(json.dumps([os.environ["GREETING"], os.environ["LANG"], os.environ["EMPTY"]]))',
      language: 'python',
      env,
    })
    assert.deepEqual(JSON.parse(result.stdout), [env.GREETING, 'C', ''])
  })

  test('starts in /workspace as the user node, or in `cwd`', async () => {
    assert.equal((await run({ code: 'pwd; id -un; echo $HOME' })).result.stdout, '/workspace\nnode\n/home/node\n')
    assert.equal((await run({ code: 'pwd', cwd: '/tmp' })).result.stdout, '/tmp\n')
  })

  test('names the folder when `cwd` is not a folder', async () => {
    const { status, body } = await server.post('/execute', {
      code: 'true',
      language: 'shell',
      sessionId,
      cwd: '/nowhere/at/all',
    })
    assert.equal(status, 404)
    assert.deepEqual([body.code, body.cwd], ['NOT_FOUND', '/nowhere/at/all'])
    assert.match(body.error, /working directory/)
  })

  test('ends everything that it started when `timeout` is reached, and reports that', async () => {
    const begun = performance.now()
    const { status, result } = await run({
      code: 'echo before; (setsid sleep 987654 &) ; sleep 987654 & nohup sleep 987654 >/dev/null 2>&1 & wait',
      timeout: 300,
    })
    const took = performance.now() - begun
    assert.deepEqual([status, result.reason, result.stdout], ['timeout', 'timeout', 'before\n'])
    assert.ok(result.durationMs >= 290 && result.durationMs <= took, `durationMs ${result.durationMs}`)
    const left = await run({ code: 'pgrep -fc "sleep 98765[4]" || true' })
    assert.equal(left.result.stdout.trim(), '0')
  })

  test('ends 30 s after the start when no `timeout` is given', async () => {
    const { body } = await server.call('GET', '/', undefined, { token: null })
    assert.equal(body.endpoints['POST /execute'].params.timeout.default, 30_000)
  })

  test('answers as soon as the program has ended, although its children hold its output open', async () => {
    const { result } = await run({ code: 'sleep 876543 & echo done' })
    assert.deepEqual([result.stdout, result.reason], ['done\n', 'exited'])
    const { stdout } = (await run({ code: 'pgrep -fc "sleep 87654[3]"; pkill -f "sleep 87654[3]"' })).result
    assert.equal(stdout, '1\n')
  })

  test('reads nothing from stdin', async () => {
    assert.equal((await run({ code: 'cat; echo "$?"' })).result.stdout, '0\n')
  })

  for (const [language, code] of [
    ['python', `x = ${JSON.stringify('é'.repeat(150_000))}\nprint(len(x))`],
    ['javascript', `const x = ${JSON.stringify('é'.repeat(150_000))}\nconsole.log(x.length)`],
    ['shell', `x=${'é'.repeat(150_000)}\necho \${#x}`],
  ] as const)
    test(`runs ${language} code of 300 kB`, async () => {
      const { result } = await run({ code, language })
      assert.equal(result.stdout, '150000\n', result.stderr.slice(0, 300))
    })

  test('runs code of almost 4 MiB, and refuses more with 400 and the field', async () => {
    const comment = `# ${'x'.repeat(4 * 1024 * 1024 - 20)}\n`
    assert.equal((await run({ code: `${comment}print(1)`, language: 'python' })).result.stdout, '1\n')
    const refused = await server.post('/execute', {
      code: `${comment}${'#'.repeat(100)}`,
      language: 'python',
      sessionId,
    })
    assert.deepEqual([refused.status, refused.body.field, refused.body.code], [400, 'code', 'INVALID_REQUEST'])
  })

  test('returns the newest 4 MiB of output, and reports that it was truncated', async () => {
    const { result } = await run({
      code: 'head -c 17000000 /dev/zero | tr "\\0" a; printf END; head -c 1000 /dev/zero | tr "\\0" b >&2',
      timeout: 60_000,
    })
    assert.equal(result.truncated, true)
    assert.equal(result.stdout.length, 4 * 1024 * 1024)
    assert.ok(result.stdout.endsWith('aEND'))
    assert.equal(result.stderr.length, 1000)
  })

  test('returns all of 2 MB of output', async () => {
    const { result } = await run({ code: 'seq 1 300000' })
    assert.equal(result.truncated, false)
    assert.equal(result.stdout, Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join(''))
  })

  test('keeps files in the sandbox for the next call, separately for each sessionId', async () => {
    const other = newSession()
    await run({ code: 'echo one > /workspace/own; export LEFT=1' })
    assert.equal((await run({ code: 'cat own; echo "[$LEFT]"' })).result.stdout, 'one\n[]\n')
    const { result } = await run({ code: 'ls -A /workspace', sessionId: other })
    assert.deepEqual([result.stdout, result.exitCode], ['', 0])
    const hosts = [await run({ code: 'hostname' }), await run({ code: 'hostname', sessionId: other })]
    assert.notEqual(hosts[0].result.stdout, hosts[1].result.stdout)
  })

  test('uses the default sandbox of the account without a sessionId', async () => {
    const token = await server.newAccount()
    const answers = await Promise.all(
      ['echo 1', 'echo 2', 'echo 3'].map((code) =>
        server.post('/execute', { code: `${code}; hostname`, language: 'shell' }, { token }),
      ),
    )
    const hosts = new Set(answers.map(({ body }) => body.result.stdout.split('\n')[1]))
    assert.equal(hosts.size, 1, 'three concurrent first requests created more than one sandbox')
    assert.deepEqual(
      answers.map(({ body }) => body.sessionId),
      ['', '', ''],
    )
  })

  test('runs 20 concurrent programs, each with its own response', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => run({ code: `sleep 0.1; echo ${index}; exit ${index}` })),
    )
    assert.deepEqual(
      answers.map(({ result }) => [result.stdout, result.exitCode]),
      Array.from({ length: 20 }, (_, index) => [`${index}\n`, index]),
    )
  })

  test('reports that memory ran out when the kernel killed the program for that', async () => {
    const { status, result } = await run({
      code: 'x = bytearray(600_000_000)\nfor i in range(0, len(x), 4096): x[i] = 1',
      language: 'python',
      timeout: 60_000,
    })
    assert.deepEqual([status, result.reason, result.signal], ['oom', 'oom', 'SIGKILL'])
    assert.equal((await run({ code: 'echo alive' })).result.stdout, 'alive\n')
  })

  test('reports a fork bomb as failed forks, and the sandbox stays usable', async () => {
    const { result } = await run({ code: 'for i in $(seq 400); do sleep 30 & done; wait', timeout: 4000 })
    assert.match(result.stderr, /fork|Resource temporarily unavailable/)
    await until(
      () => run({ code: 'pgrep -c sleep || true' }),
      ({ result: { stdout } }) => stdout === '0\n',
    )
  })

  for (const [why, body, field] of [
    ['code is missing', { language: 'shell' }, 'code'],
    ['language is missing', { code: '1' }, 'language'],
    ['language is unknown', { code: '1', language: 'ruby' }, 'language'],
    ['code is a number', { code: 1, language: 'shell' }, 'code'],
    ['code is null', { code: null, language: 'shell' }, 'code'],
    ['timeout is negative', { code: '1', language: 'shell', timeout: -1 }, 'timeout'],
    ['timeout is a text', { code: '1', language: 'shell', timeout: '5' }, 'timeout'],
    ['timeout is over 24 days', { code: '1', language: 'shell', timeout: 2_073_600_001 }, 'timeout'],
    ['env is an array', { code: '1', language: 'shell', env: ['A=1'] }, 'env'],
    ['a variable is a list', { code: '1', language: 'shell', env: { A: [1] } }, 'env.A'],
    ['a variable has no name', { code: '1', language: 'shell', env: { '': 'x' } }, 'env'],
    ['the name of a variable has "="', { code: '1', language: 'shell', env: { 'A=B': 'x' } }, 'env'],
    ['a variable has a NUL', { code: '1', language: 'shell', env: { A: 'x\0' } }, 'env'],
    ['sessionId has two lines', { code: '1', language: 'shell', sessionId: 'a\nb' }, 'sessionId'],
    ['sessionId has 129 characters', { code: '1', language: 'shell', sessionId: 'x'.repeat(129) }, 'sessionId'],
    ['the body is an array', [], 'body'],
  ] as const)
    test(`refuses with 400 and the field when ${why}`, async () => {
      const { status, body: answer } = await server.post('/execute', body)
      assert.deepEqual([status, answer.code, answer.field], [400, 'INVALID_REQUEST', field])
      assert.match(answer.error, /^Cannot (use|set) (field|variable) "/)
    })

  test('refuses code with a NUL, which no argument can contain', async () => {
    const { status, body } = await server.post('/execute', { code: 'echo a\0b', language: 'shell', sessionId })
    assert.equal(status, 400, JSON.stringify(body))
  })
})
