import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Carrel } from '../../sdk/index.ts'
import { skipsWithoutDiskLimits } from '../support/disk-limits.ts'
import { newSession, TestServer, until, type Answer } from '../support/server.ts'
import { withDatabase } from '../support/with-database.ts'
import { SocketClient } from './socket-client.ts'

const cli = fileURLToPath(new URL('../../bin/carrel.js', import.meta.url))
const charts = fileURLToPath(new URL('fixtures/charts-image', import.meta.url))

let server: TestServer
before(async () => {
  server = await TestServer.start({
    env: { CARREL_IMAGE: charts, CARREL_COMPUTER_MEMORY_MIB: '512', CARREL_COMPUTER_DISK_MIB: '1024' },
  })
})
after(() => server.stop())

type Body = Answer['body']

/** Returns functions to call the kernels of one sandbox. */
function sandbox(sessionId = newSession()) {
  const call = async (code: string, more: Record<string, unknown> = {}): Promise<Body> => {
    const { status, body } = await server.post('/interpret', { code, sessionId, ...more })
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  return {
    sessionId,
    python: call,
    javascript: (code: string, more = {}) => call(code, { language: 'javascript', ...more }),
  }
}

const isPng = (base64: string) => Buffer.from(base64, 'base64').toString('latin1', 1, 4) === 'PNG'
// oxlint-disable-next-line typescript/no-explicit-any -- results of every shape
const briefly = (results: any[]) =>
  results.map(({ type, stream, text, data }) => (stream ? `${stream}: ${text}` : type === 'image' ? isPng(data) : text))

describe('POST /interpret in Python', () => {
  const { python, sessionId } = sandbox()

  test('returns the value of the last expression, and keeps variables', async () => {
    const first = await python('a = 6\na * 7')
    assert.deepEqual(first.results, [{ type: 'text', text: '42', mimeType: 'text/plain', isMainResult: true }])
    const { status, error, kernelRestarted, kernelLost, truncated, language } = first
    assert.deepEqual([status, error, kernelRestarted, kernelLost, truncated], ['completed', null, false, false, false])
    assert.deepEqual([language, first.sessionId, first.logs], ['python', sessionId, { stdout: '', stderr: '' }])
    const second = await python('def f(): return a + 1\nf()')
    assert.equal(second.results[0].text, '7')
    assert.equal(second.executionCount, first.executionCount + 1)
    assert.deepEqual((await python('None')).results, [])
  })

  test('returns figures as PNG, in order with printed output', async () => {
    const code = [
      'import matplotlib.pyplot as plt',
      'print("one")',
      'plt.plot([1, 2]); plt.show()',
      'print("two")',
      'plt.figure(); plt.plot([3]); plt.show()',
      'plt.figure(); plt.bar([1], [2])',
      'print("three")',
    ].join('\n')
    const { results, logs } = await python(code)
    assert.deepEqual(briefly(results), ['stdout: one\n', true, 'stdout: two\n', true, 'stdout: three\n', true])
    assert.equal(logs.stdout, 'one\ntwo\nthree\n')
    assert.deepEqual([results[1].mimeType, results[1].text], ['image/png', '<Figure size 640x480 with 1 Axes>'])
    assert.equal(new Set([results[1].data, results[3].data, results[5].data]).size, 3)
  })

  test('returns figures of code that selects the Agg backend, too', async () => {
    const code =
      'import matplotlib; matplotlib.use("Agg")\nimport matplotlib.pyplot as p\np.plot([1])\np.figure(); p.plot([2]);'
    const own = sandbox()
    const { results } = await own.python(code)
    assert.deepEqual(briefly(results), [true, true])
    assert.deepEqual((await own.python('1;')).results, [])
  })

  test('returns a table as HTML, and as plain text', async () => {
    const { results } = await python('import pandas as pd\npd.DataFrame({"name": ["x"], "n": [1]})')
    assert.deepEqual([results.length, results[0].type, results[0].mimeType], [1, 'html', 'text/html'])
    assert.match(results[0].data, /<table border="1" class="dataframe">[^]*<th>name<\/th>/)
    assert.equal(results[0].text, '  name  n\n0    x  1')
  })

  test('returns the rich representations of objects by media type', async () => {
    const { results } = await python(`
from IPython.display import display, HTML, Image, JSON, Javascript, SVG, Markdown, Latex
display(HTML("<b>h</b>"), JSON({"q": [1, None]}), SVG("<svg xmlns='http://www.w3.org/2000/svg'/>"), Markdown("# m"), Latex("$l$"))
display(Javascript("f()"), Image(data=b"\\x89PNG", format="png"), {"text/html": "<p>raw"}, raw=False)
display({"text/html": "<p>raw"}, raw=True)
class Rich:
    def _repr_mimebundle_(self, **_): return {"text/plain": "plain", "text/html": "<i>", "text/latex": "$x$"}
Rich()`)
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')
    assert.deepEqual(
      // oxlint-disable-next-line typescript/no-explicit-any -- results of every shape
      results.map(({ type, mimeType, data, text }: any) => [type, mimeType, data, text]),
      [
        ['html', 'text/html', '<b>h</b>', 'h'],
        ['json', 'application/json', { q: [1, null] }, '{"q":[1,null]}'],
        ['image', 'image/svg+xml', svg, 'SVG image'],
        ['text', 'text/markdown', '# m', '# m'],
        ['text', 'text/latex', '$l$', '$l$'],
        ['text', 'application/javascript', 'f()', 'f()'],
        ['image', 'image/png', 'iVBORw==', 'PNG image'],
        ['json', 'application/json', { 'text/html': '<p>raw' }, "{'text/html': '<p>raw'}"],
        ['html', 'text/html', '<p>raw', 'raw'],
        ['html', 'text/html', '<i>', 'plain'],
      ],
    )
    assert.deepEqual(
      [results[9].formats, results[9].isMainResult, results[0].isMainResult],
      [{ 'text/latex': '$x$' }, true, false],
    )
  })

  test('returns plain lists and dictionaries as JSON', async () => {
    const [json] = (await python('{"a": [1, 2.5, None, "é"]}')).results
    assert.deepEqual(
      [json.type, json.data, json.text],
      ['json', { a: [1, 2.5, null, 'é'] }, "{'a': [1, 2.5, None, 'é']}"],
    )
    for (const other of ['{1: 2}', '[float("nan")]', '[object]', '[(1,)]', '(1,)'])
      assert.equal((await python(other)).results[0].type, 'text', other)
  })

  test('updates a display by its id, and clears output on request', async () => {
    const shown = await python(
      'from IPython.display import *\nh = display("a", display_id=True)\nprint(1)\nh.update("b")',
    )
    assert.deepEqual(briefly(shown.results), ["'b'", 'stdout: 1\n'])
    assert.deepEqual(briefly((await python('print(1); clear_output(); print(2)')).results), ['stdout: 2\n'])
    assert.deepEqual(briefly((await python('print(1); clear_output(wait=True)')).results), ['stdout: 1\n'])
  })

  test('reports an error with name, message and traceback, without colours, and keeps earlier output', async () => {
    const { status, results, error } = await python('kept = 1\nprint("before")\ndef f():\n    return 1 / 0\nf()')
    assert.equal(status, 'error')
    assert.deepEqual(briefly(results), ['stdout: before\n', 'ZeroDivisionError: division by zero'])
    assert.deepEqual([error.name, error.message], ['ZeroDivisionError', 'division by zero'])
    assert.match(error.traceback.join('\n'), /line 5[^]*----> 4 +return 1 \/ 0[^]*ZeroDivisionError: division by zero$/)
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(error.traceback.join(''), /\u001b/)
    assert.deepEqual(results[1], { type: 'error', text: 'ZeroDivisionError: division by zero', ...error })
    assert.equal((await python('kept')).results[0].text, '1')
    assert.equal((await python('x = = 1')).error.name, 'SyntaxError')
  })

  test('reports that input() has no one to answer it', async () => {
    const { error } = await python('input("name? ")')
    assert.equal(error.name, 'StdinNotImplementedError')
    assert.match(error.message, /does not support input/)
    assert.equal((await python('import sys, os; sys.stdin.read() + str(os.read(0, 9))')).results[0].text, '"b\'\'"')
  })

  test('keeps the order of its own output and that of its programs', async () => {
    const code =
      'import os, subprocess, sys\nfor i in range(3):\n  print("a", i)\n  os.system("echo b; echo e >&2")\n  subprocess.run("echo é", shell=True)\nprint("err", file=sys.stderr)'
    const { logs } = await python(`${code}\nos.write(1, b"raw\\n");`)
    assert.equal(logs.stdout, 'a 0\nb\né\na 1\nb\né\na 2\nb\né\nraw\n')
    assert.equal(logs.stderr, 'e\ne\ne\nerr\n')
  })

  test('awaits at the top', async () => {
    assert.equal((await python('import asyncio\nawait asyncio.sleep(0.01)\n"done"')).results[0].text, "'done'")
  })

  test('truncates endless output, reports that, and continues', async () => {
    const { status, truncated, logs } = await python('while True: print("y" * 99)', { timeout: 1500 })
    assert.deepEqual([status, truncated, logs.stdout.length], ['timeout', true, 4 * 1024 * 1024])
    const pictures = await python(
      'from IPython.display import *\nfor _ in range(40): display(HTML("x" * 1_000_000))\n"end"',
    )
    assert.deepEqual([pictures.status, pictures.truncated], ['completed', true])
    assert.ok(pictures.results.length > 20 && pictures.results.length < 30)
    const next = await python('print("fine")')
    assert.deepEqual([next.logs.stdout, next.truncated], ['fine\n', false])
  })

  test('returns the beginning of a value that is too large, and reports that', async () => {
    const { results, truncated } = await python('"y" * 50_000_000')
    assert.deepEqual([results.length, truncated, results[0].isMainResult], [1, true, true])
    assert.match(results[0].text, /^'y{1000000}y*\n\[Truncated here: the whole takes 50000020 bytes, more than .*\]$/)
    const after = await python(
      'from IPython.display import *\nfor _ in range(30): display(HTML("x" * 1_000_000))\n"end"',
    )
    assert.equal(after.results.at(-1).text, "'end'")
    const cuts = after.results.filter(({ text = '' }) => text.includes('Truncated here'))
    assert.deepEqual([cuts.length, after.truncated], [1, true])
  })

  test('returns an error and a value after more outputs than a response holds', async () => {
    const many = 'for each in range(1001): display(each)\n'
    const failed = await python(`${many}1 / 0`)
    assert.deepEqual([failed.status, failed.error?.name, failed.truncated], ['error', 'ZeroDivisionError', true])
    assert.equal((await python(`${many}"end"`)).results.at(-1).text, "'end'")
  })

  test('opens no port, and returns the output of its forks', async () => {
    const own = sandbox()
    const code =
      'import os\nfor n in range(2):\n  print("a", n)\n  pid = os.fork()\n  if pid == 0:\n    print("b", n)\n    os._exit(0)\n  os.waitpid(pid, 0)\nopen("/proc/net/tcp").read().count("\\n") - 1'
    const { results, logs } = await own.python(code)
    assert.deepEqual([logs.stdout, results.at(-1).text], ['a 0\nb 0\na 1\nb 1\n', '0'])
  })

  test('starts with a full disk too', async (t) => {
    if (skipsWithoutDiskLimits(t, server)) return
    const own = sandbox()
    const fill =
      'for size in 1M 64k 4k 1k; do dd if=/dev/zero of=/workspace/fill$size bs=$size; sync; done; head -c 300000 /dev/zero > /tmp/probe'
    assert.notEqual((await server.shell(fill, { sessionId: own.sessionId })).exitCode, 0)
    const { results, status } = await own.python('print("fine")\n6 * 7')
    assert.deepEqual([status, results.at(-1).text], ['completed', '42'])
    assert.equal((await own.javascript('6 * 7')).results.at(-1).text, '42')
  })

  test('is no process of its user: it is not listed, read or ended as one, while it runs and afterwards', async () => {
    const own = sandbox()
    const pid = Number((await own.python('import os\nos.getpid()')).results[0].text)
    const { sessionId } = own
    const { id } = await withDatabase((db) =>
      db
        .selectFrom('processes')
        .innerJoin('computers', 'computers.id', 'processes.computer_id')
        .where('computers.name', '=', sessionId)
        .select('processes.id')
        .executeTakeFirstOrThrow(),
    )
    const ids = ['kernel/python', id]
    const check = async () => {
      for (const all of [false, true])
        assert.deepEqual((await server.done('/process/list', { sessionId, all })).processes, [])
      for (const processId of ids)
        for (const path of ['/process/get', '/process/kill'])
          assert.equal((await server.post(path, { processId, sessionId })).body.code, 'NOT_FOUND')
    }
    await check()
    assert.equal((await own.python('os.getpid()')).results[0].text, String(pid))
    await own.python('os._exit(3)')
    await check()
  })

  test('ends with its computer, and the next call gets a new kernel and reports that', async () => {
    const own = sandbox()
    await own.python('v = 1')
    const killed = await own.python('import os, signal\nos.kill(os.getpid(), signal.SIGKILL)')
    assert.equal(killed.status, 'died')
    const { results, kernelRestarted, restartReason } = await own.python('"v" in globals()')
    assert.deepEqual([results[0].text, kernelRestarted, restartReason], ['False', true, 'signalled'])
    assert.equal((await own.python('1')).kernelRestarted, false)
  })
})

describe('the time limit of POST /interpret', () => {
  const { python, javascript } = sandbox()

  for (const [what, code] of [
    ['sleeps', 'import time; time.sleep(60)'],
    ['is busy', 'while True: pass'],
    ['awaits', 'import asyncio; await asyncio.sleep(60)'],
    ['waits for a program', 'import os; os.system("sleep 60")'],
  ] as const)
    test(`interrupts Python that ${what}, and keeps its variables`, async () => {
      await python(`mark = ${JSON.stringify(what)}`)
      const { status, error, kernelLost, logs } = await python(`print("begun")\n${code}`, { timeout: 700 })
      assert.deepEqual([status, error.name, kernelLost, logs.stdout], ['timeout', 'TimeoutError', false, 'begun\n'])
      assert.match(error.message, /longer than its timeout of 700 ms\. Variables are kept/)
      const next = await python('mark')
      assert.deepEqual([next.results[0].text, next.kernelRestarted], [`'${what}'`, false])
    })

  for (const [what, code] of [
    ['is busy', 'while (true);'],
    ['is busy after a timer', 'await new Promise((r) => setTimeout(r, 10)); while (true);'],
    ['awaits for ever', 'await new Promise(() => {})'],
    ['waits for a program', 'require("child_process").execSync("sleep 60")'],
  ] as const)
    test(`interrupts JavaScript that ${what}, and keeps its variables`, async () => {
      await javascript(`const mark = ${JSON.stringify(what)}`)
      const { status, error, kernelLost, logs } = await javascript(`console.log("begun"); ${code}`, { timeout: 700 })
      assert.deepEqual([status, error.name, kernelLost, logs.stdout], ['timeout', 'TimeoutError', false, 'begun\n'])
      const next = await javascript('await new Promise((r) => setTimeout(r, 10)); mark')
      assert.deepEqual([next.results[0].text, next.kernelRestarted], [`'${what}'`, false])
    })

  test('replaces a kernel that cannot be interrupted, and reports that', async () => {
    const own = sandbox()
    const code =
      'import signal, time\nsignal.signal(2, signal.SIG_IGN)\nend = time.time() + 60\nwhile time.time() < end: pass'
    const { status, error, kernelLost, executionCount } = await own.python(code, { timeout: 500 })
    assert.deepEqual([status, kernelLost, executionCount], ['timeout', true, null])
    assert.match(error.message, /did not stop when asked to\. The kernel was ended, and its variables are lost/)
    const next = await own.python('"end" in globals()')
    assert.deepEqual([next.results[0].text, next.kernelRestarted, next.restartReason], ['False', true, 'signalled'])
  })
})

describe('a kernel that dies', () => {
  for (const [language, code, message] of [
    ['python', 'import os; os._exit(3)', /it ended with exit code 3/],
    ['python', 'exit()', /it ended with exit code 0/],
    ['python', 'quit()', /it ended with exit code 0/],
    [
      'python',
      'import threading; threading.Thread(target=time.sleep, args=[60]).start(); exit()',
      /it ended with exit code 0/,
    ],
    ['python', 'import os; os.kill(os.getpid(), 11)', /it was ended by SIGSEGV/],
    ['python', 'a = []\nwhile True: a.append(bytearray(20_000_000))', /the sandbox ran out of memory/],
    ['javascript', 'process.exit(4)', /it ended with exit code 4/],
    ['javascript', 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {})', /it was ended by SIGKILL/],
    ['javascript', 'const all = []; for (;;) all.push(new Array(1e5).fill(1.5))', /out of memory/],
  ] as const)
    test(`is reported and replaced: ${language} ${code.slice(0, 45).replaceAll('\n', ' ')}`, async () => {
      const { python } = sandbox()
      const before =
        language === 'python' ? 'print("before")\nimport time; time.sleep(0.1)\n' : 'console.log("before");'
      const dead = await python(before + code, { language })
      assert.deepEqual([dead.status, dead.kernelLost, dead.error.name], ['died', true, 'KernelDied'])
      assert.match(dead.error.message, message)
      assert.match(dead.error.message, /Its variables are lost; the next call starts a new kernel/)
      if (!code.includes('SIGKILL')) assert.match(dead.logs.stdout, /^before\n/)
      const next = await python('1 + 1', { language })
      assert.deepEqual([next.results[0].text, next.kernelRestarted, next.executionCount], ['2', true, 1])
    })
})

test('sys.exit() ends only its call, as in every notebook', async () => {
  const { python } = sandbox()
  const { status, error, kernelLost } = await python('v = 1\nimport sys\nsys.exit(3)')
  assert.deepEqual([status, error.name, error.message, kernelLost], ['error', 'SystemExit', '3', false])
  assert.equal((await python('v')).results[0].text, '1')
})

describe('POST /interpret in JavaScript', () => {
  const { javascript } = sandbox()
  const value = async (code: string) => (await javascript(code)).results.at(-1)

  test('allows redeclaration, as a REPL does, and keeps declarations', async () => {
    assert.equal((await value('const x = 1; let y; class A {}; function f() { return x }; f()')).text, '1')
    assert.equal(
      (await value('const x = 2; class A { z = 1 }; [f(), typeof y, new A().z].join()')).text,
      "'2,undefined,1'",
    )
    assert.equal((await value('const { p, q: [r] } = await { p: 1, q: [2] }; for (var i of [5]); p + r + i')).text, '8')
    assert.equal((await value('p + r + i')).text, '8')
    assert.equal((await value('main(); async function main() { return 7 }')).text, '7')
  })

  test('imports modules, built-in and its own', async () => {
    assert.equal(
      (
        await value(
          'import os, { EOL as eol } from "node:os"\nimport * as fs from "fs"; [os.EOL === eol, typeof fs.statSync].join()',
        )
      ).text,
      "'true,function'",
    )
    await value('fs.writeFileSync("/workspace/own.mjs", "export default 9; export const n = 1")')
    assert.equal((await value('const { default: nine } = await import("./own.mjs"); nine')).text, '9')
    assert.equal((await value('require("node:path").basename("/a/b")')).text, "'b'")
  })

  test('returns values as text, plain ones also as JSON, and displayed output in order', async () => {
    const { results } = await javascript(
      'console.log("one"); display.html("<b>"); console.error("two"); display({ a: [1] }); display.image(Buffer.from("png")); ({ b: null })',
    )
    assert.deepEqual(
      // oxlint-disable-next-line typescript/no-explicit-any -- results of every shape
      results.map(({ type, stream, text, data }: any) => [type, stream, text, data]),
      [
        ['text', 'stdout', 'one\n', undefined],
        ['html', undefined, '<b>', '<b>'],
        ['text', 'stderr', 'two\n', undefined],
        ['json', undefined, '{ a: [ 1 ] }', { a: [1] }],
        ['image', undefined, 'PNG image', Buffer.from('png').toString('base64')],
        ['json', undefined, '{ b: null }', { b: null }],
      ],
    )
    assert.deepEqual((await value('new Map([[1, 2n]])')).type, 'text')
    assert.equal((await value('const o = {}; o.o = o; o')).text, '<ref *1> { o: [Circular *1] }')
    assert.deepEqual((await value('({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<i>" }) })')).data, '<i>')
    assert.deepEqual((await javascript('undefined')).results, [])
    assert.deepEqual((await value('{ c: 1 }')).data, { c: 1 })
  })

  test('returns the beginning of output that is too large, and reports that', async () => {
    const { results, truncated } = await javascript(
      'display({ [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "é".repeat(20_000_000) }) }); "end"',
    )
    assert.deepEqual([results.length, results[1].text, truncated], [2, "'end'", true])
    assert.match(results[0].text, /^é{1000000}é*\n\[Truncated here: the whole takes 40000017 bytes, more than .*\]$/)
  })

  test('reports an error with its line in the call', async () => {
    const { error, status } = await javascript('let a = 1\nawait 0\nfunction f() { null.x }\nf()')
    assert.deepEqual([status, error.name], ['error', 'TypeError'])
    assert.match(error.traceback.join('\n'), /at f \(cell-\d+:3:21\)\n.*cell-\d+:4:\d/)
    assert.equal((await javascript('let = ')).error.name, 'SyntaxError')
    assert.deepEqual((await javascript('throw { a: 1 }')).error.message, '{ a: 1 }')
    assert.equal((await javascript('Promise.reject(new RangeError("r"))')).error.name, 'RangeError')
    const late = await javascript(
      'setTimeout(() => { throw new Error("late") }); await new Promise((r) => setTimeout(r, 50))',
    )
    assert.match(late.logs.stderr, /Uncaught Error: late/)
  })

  test('runs programs, and returns their output', async () => {
    const { logs, results } = await javascript(
      'const { execSync } = require("child_process"); execSync("echo hé; echo no", { stdio: "inherit" }); execSync("cat; echo x").toString()',
    )
    assert.deepEqual([logs.stdout, results.at(-1).text], ['hé\nno\n', "'x\\n'"])
  })

  test('truncates endless output, and continues', async () => {
    const { status, truncated, logs } = await javascript('for (;;) console.log("zz".repeat(999))', { timeout: 2000 })
    assert.deepEqual([status, truncated, logs.stdout.length <= 4 * 1024 * 1024], ['timeout', true, true])
    assert.equal((await value('1 + 1')).text, '2')
  })
})

describe('kernels of POST /interpret', () => {
  test('are separate by sandbox, language and account', async () => {
    const [one, two] = [sandbox(), sandbox()]
    await one.python('v = 1')
    assert.equal((await one.javascript('typeof v')).results[0].text, "'undefined'")
    assert.equal((await two.python('"v" in globals()')).results[0].text, 'False')
    const token = await server.newAccount()
    const call = { code: '"v" in globals()', sessionId: one.sessionId }
    const { status, body } = await server.post('/interpret', call, { token })
    assert.deepEqual([status, body.results[0].text], [200, 'False'])
    assert.equal((await server.post('/interpret', call, { token: null })).status, 401)
  })

  test('run concurrent calls in turn, and refuse more than can wait', async () => {
    const { python, sessionId } = sandbox()
    await python('n = 0')
    const code = 'import time\nseen = n\ntime.sleep(0.05)\nn = seen + 1\nn'
    const calls = await Promise.all(Array.from({ length: 8 }, () => python(code)))
    assert.deepEqual(
      calls.map(({ results }) => Number(results[0].text)).toSorted((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8],
    )
    const many = await Promise.all(
      Array.from({ length: 30 }, () => server.post('/interpret', { code: 'time.sleep(0.2)', sessionId })),
    )
    const refused = many.filter(({ status }) => status === 429)
    assert.equal(refused.length, 13)
    assert.equal(refused[0]!.body.code, 'LIMIT_REACHED')
    assert.equal((await python('n')).results[0].text, '8')
  })

  test('are interrupted when their client disconnects, unless it sent an Idempotency-Key', async () => {
    const { python, sessionId } = sandbox()
    await python('import time\nstate = "idle"')
    const leave = async (headers: Record<string, string>) => {
      const request = fetch(`${server.url}/interpret`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({
          code: 'open("/workspace/begun", "w").close()\nstate = "begun"\ntime.sleep(2)\nstate = "done"\nstate',
          sessionId,
        }),
        signal: gone.signal,
      })
      const cut = assert.rejects(request, { name: 'AbortError' })
      await until(
        () => server.shell('rm /workspace/begun && echo there', { sessionId }),
        ({ stdout }) => stdout === 'there\n',
      )
      gone.abort()
      await cut
    }
    let gone = new AbortController()
    await leave({})
    assert.equal((await python('state')).results[0].text, "'begun'")
    gone = new AbortController()
    await leave({ 'idempotency-key': `key-${sessionId}` })
    assert.equal((await python('state')).results[0].text, "'done'")
  })

  test('are interrupted when the WebSocket that sent the code is closed', async () => {
    const { python, sessionId } = sandbox()
    await python('import time\nstate = "idle"')
    const client = await SocketClient.open(server)
    const code = 'open("/workspace/begun", "w").close()\nstate = "begun"\ntime.sleep(60)\nstate = "done"'
    client.begin({ type: 'interpret', sessionId, code, timeout: 120_000 })
    await until(
      () => server.shell('rm /workspace/begun && echo there', { sessionId }),
      ({ stdout }) => stdout === 'there\n',
    )
    await client.close()
    assert.equal((await python('state')).results[0].text, "'begun'")
    assert.doesNotMatch(server.log(), /"level":50/)
  })

  test('are refused where the image lacks what they need, with advice on what to install', async () => {
    const { sessionId, javascript } = sandbox()
    await server.shell('sudo mv /usr/lib/python3/dist-packages/ipykernel /tmp/', { sessionId })
    const python = { code: '1', sessionId }
    const missing = await server.post('/interpret', python)
    assert.deepEqual(
      [missing.status, missing.body.code, missing.body.action],
      [409, 'PACKAGE_MISSING', 'INSTALL_PACKAGE'],
    )
    assert.match(missing.body.error, /No module named 'ipykernel'; it needs .*"sudo apt-get install python3-ipykernel"/)
    assert.equal((await javascript('1')).results[0].text, '1')
    await server.shell('sudo mv /tmp/ipykernel /usr/lib/python3/dist-packages/; sudo mv $(which node) /tmp/', {
      sessionId,
    })
    assert.equal((await server.post('/interpret', python)).body.results[0].text, '1')
    const other = sandbox().sessionId
    await server.shell('sudo mv $(which node) /usr/bin/python3* /tmp/', { sessionId: other })
    const node = await server.post('/interpret', { code: '1', language: 'javascript', sessionId: other })
    assert.deepEqual([node.status, node.body.code], [409, 'PACKAGE_MISSING'])
    assert.match(node.body.error, /it needs node/)
    assert.equal((await server.post('/interpret', { code: '1', sessionId: other })).body.code, 'PACKAGE_MISSING')
  })

  test('are not confused by messages that the guest forges', async () => {
    const { python } = sandbox()
    const forged = [
      '{"event":"output","id":5,"name":"stdout","text":{}}',
      '{"event":"done","id":"other","count":1,"truncated":false}',
      'no json',
      '[]',
    ]
    const code = `import os, sys\nfor fd in os.listdir("/proc/self/fd"):\n  try:\n    if int(fd) > 2 and "pipe" in os.readlink("/proc/self/fd/" + fd): os.write(int(fd), ${JSON.stringify(`${forged.join('\n')}\n`)}.encode())\n  except OSError: pass\n"still here"`
    const { status, results } = await python(code, { timeout: 5000 })
    assert.equal(status, 'completed', JSON.stringify(results).slice(0, 500))
    assert.ok(results.some(({ text }: { text: string }) => text === "'still here'"))
  })
})

describe('bad input of POST /interpret', () => {
  for (const [what, body, field] of [
    ['no code', {}, 'code'],
    ['code that is no text', { code: 5 }, 'code'],
    ['code beyond 4 MiB', { code: '#'.repeat(4 * 1024 * 1024 + 1) }, 'code'],
    ['a language that it has not', { code: '1', language: 'ruby' }, 'language'],
    ['a timeout below 0', { code: '1', timeout: -1 }, 'timeout'],
    ['a session name with two lines', { code: '1', sessionId: 'a\nb' }, 'sessionId'],
  ] as const)
    test(`${what} is refused with 400 and the field`, async () => {
      const { status, body: answer } = await server.post('/interpret', body)
      assert.deepEqual([status, answer.code, answer.field], [400, 'INVALID_REQUEST', field])
    })

  test('a body that is not UTF-8 or not JSON is refused with 400', async () => {
    for (const body of [Buffer.from('{"code":"\xff', 'latin1'), Buffer.from('{"code":')]) {
      const { status, body: answer } = await server.post('/interpret', body)
      assert.deepEqual([status, answer.code], [400, 'INVALID_REQUEST'])
    }
  })

  test('code of 4 MiB and code with a NUL reach the kernel, half a surrogate pair is refused', async () => {
    const { python } = sandbox()
    const long = `${'#'.repeat(4 * 1024 * 1024 - 4)}\n5`
    assert.equal((await python(long)).results[0].text, '5')
    const half = await server.post('/interpret', { code: '"\ud83d"', sessionId: newSession() })
    assert.deepEqual([half.status, half.body.field], [400, 'code'])
    assert.equal((await python('print(chr(0xd83d)); chr(0xd83d)')).status, 'completed')
    assert.equal((await python('1 \0')).error.name, 'KernelError')
    assert.equal((await python('"fine"')).results[0].text, "'fine'")
  })
})

describe('interpret() of the SDK', () => {
  test('returns the result, and interrupts the code when its caller aborts', async () => {
    const client = new Carrel({ baseUrl: server.url, token: server.token, sessionId: newSession() })
    const { status, results } = await client.interpret('import time\nv = 6\nv * 7')
    assert.deepEqual([status, results[0]?.text], ['completed', '42'])
    const unlimited = await client.interpret('time.sleep(0.1)\nv', { timeoutMs: 0 })
    assert.deepEqual([unlimited.status, unlimited.results[0]?.text], ['completed', '6'])
    const cut = client.interpret('v = 7\ntime.sleep(60)', { timeoutMs: 90_000, signal: AbortSignal.timeout(1000) })
    await assert.rejects(cut, { name: 'TimeoutError' })
    assert.equal((await client.interpret('v')).results[0]?.text, '7')
    assert.equal((await client.interpret('v', { language: 'javascript' })).error?.name, 'ReferenceError')
  })
})

describe('ppod interpret', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carrel-interpret-'))
  })
  after(() => rm(folder, { recursive: true }))

  const session = newSession()
  const run = (args: string[], input = '') =>
    new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, CARREL_CLI_NAME: 'ppod', PAPERPOD_TOKEN: server.token, CARREL_URL: server.url }
      const argv = [cli, 'interpret', '--url', server.url, '--session', session, ...args]
      const child = execFile(process.execPath, argv, { cwd: folder, env }, (error, stdout, stderr) =>
        resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
      )
      child.stdin!.end(input)
    })

  test('prints output and the value, saves figures, and keeps variables', async () => {
    const code =
      'import matplotlib.pyplot as plt\nprint("hi")\nfor n in (1, 2): plt.figure(); plt.plot([n]); plt.show()\n{"n": n}'
    const { exitCode, stdout, stderr } = await run([code])
    assert.equal(stdout, "hi\nSaved figure-1.png\nSaved figure-2.png\n{'n': 2}\n", stderr)
    assert.equal(exitCode, 0)
    assert.ok(isPng((await readFile(join(folder, 'figure-2.png'))).toString('base64')))
    assert.equal((await run(['-'], 'n + 40')).stdout, '42\n')
    assert.match((await run(['plt.figure(); plt.plot([1]);'])).stdout, /^Saved figure-3\.png\n$/)
    assert.deepEqual((await readdir(folder)).toSorted(), ['figure-1.png', 'figure-2.png', 'figure-3.png'])
  })

  test('reports errors and the time limit through its exit code', async () => {
    const failed = await run(['--lang', 'javascript', 'console.error("e"); null.x'])
    assert.deepEqual([failed.exitCode, failed.stdout], [1, ''])
    assert.match(
      failed.stderr,
      /^e\ncell-1:1\n.*null\.x\n[^]*\nTypeError: Cannot read properties of null.*\n.*cell-1:1:26\n$/,
    )
    const late = await run(['--timeout', '500', 'import time; time.sleep(60)'])
    assert.equal(late.exitCode, 124)
    assert.match(late.stderr, /KeyboardInterrupt[^]*TimeoutError: The code was interrupted.*Variables are kept\n$/)
    const json = await run(['--json', '1 / 0'])
    assert.deepEqual([json.exitCode, JSON.parse(json.stdout).error.name], [1, 'ZeroDivisionError'])
    const ruby = await run(['--lang', 'ruby', '1'])
    assert.deepEqual([ruby.exitCode, ruby.stdout], [2, ''])
    assert.match(ruby.stderr, /"ruby": it has to be one of python, javascript/)
  })
})
