import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { Slices } from '../../../slices.ts'
import { readKernelEvent, type CallEvent } from './kernel-events.ts'
import { kernelProgram } from './kernel-programs.ts'

let kernel: ChildProcess
let lines: AsyncIterator<string>
let calls = 0
before(async () => {
  const { argv, stdin } = kernelProgram('javascript')
  kernel = spawn(argv[0]!, argv.slice(1), { stdio: ['pipe', 'pipe', 'ignore'] })
  lines = createInterface(kernel.stdout!)[Symbol.asyncIterator]()
  kernel.stdin!.write(stdin)
  assert.equal((await next()).event, 'ready')
})
after(async () => {
  kernel.kill('SIGKILL')
  await once(kernel, 'close')
})

async function next() {
  const { value } = await lines.next()
  return (await readKernelEvent(Buffer.from(value), new Slices('test')))!.event
}

/** Returns the events that running a cell sends. */
async function run(code: string): Promise<CallEvent[]> {
  const id = String(++calls)
  kernel.stdin!.write(`${JSON.stringify({ op: 'run', id, code, streamCharacters: 1000, resultBytes: 1000 })}\n`)
  const events: CallEvent[] = []
  for (let event = await next(); event.event !== 'done'; event = await next()) events.push(event as CallEvent)
  return events
}

/** Returns the value of a cell as text; undefined when it has none. */
async function value(code: string): Promise<unknown> {
  const events = await run(code)
  const failed = events.find(({ event }) => event === 'error')
  assert.equal(failed, undefined, `${code}: ${JSON.stringify(failed)}`)
  const shown = events.find((event) => event.event === 'result')
  return shown?.data['text/plain']
}

/** Each cell means the same with an `await` before it as without. */
for (const [code, expected] of [
  ['(1 + 2)', '3'],
  ['((1 + 2))', '3'],
  ['({ a: 1 })', '{ a: 1 }'],
  ['({ a: 1 });', '{ a: 1 }'],
  ['1, 2', '2'],
  ['() => 1', '[Function (anonymous)]'],
  ['1 + 1 // a comment; with a semicolon', '2'],
  ['1 + 1 /* one */ ; // another', '2'],
  ['(1) // a comment\n;', '1'],
  ['`a${`b;`}c`', "'ab;c'"],
  ['`a\n// b`', "'a\\n// b'"],
  ['/;$/.test(";")', 'true'],
  ['const one = 1\nconst two = 2\none + two', '3'],
  ['let unset\n(() => 5)()', '5'],
  ['let unset1, unset2\n;[1].concat(2)', '[ 1, 2 ]'],
  ['let a1 = 1\n++a1', '2'],
  ['class Last {}', undefined],
  ['class C1 { static n = 1 }\n(C1.n)', '1'],
  ['class C2 { static { var hidden = 2 } static n = 1 }; [typeof hidden, C2.n].join()', "'undefined,1'"],
  ['function last() {}', undefined],
  ['1; function last2() {}', '1'],
  ['1; const c1 = 2', '1'],
  ['if (true) 1; else 2', '1'],
  ['if (true) { 1 } else { 2 }', '1'],
  ['5; if (false) 1', undefined],
  ['for (const each of [1, 2]) each * 2', '4'],
  ['for (var i1 = 0, n1 = 3; i1 < n1; i1++) i1', '2'],
  ['for (var { k } of [{ k: 1 }, { k: 2 }]) k', '2'],
  ['for (var key in { a: 1 }) key', "'a'"],
  ['let w = 0; while (w < 3) w++; w', '3'],
  ['let d = 0; do d++\nwhile (d < 3) d', '3'],
  ['outer: for (const x of [1, 2]) { for (;;) { x; continue outer } }', '2'],
  ['switch (1) { case 1: "one"; break; default: "other" }', "'one'"],
  ['try { null.x } catch (error) { error.name } finally { 7 }', "'TypeError'"],
  ['try { 6 } finally { 7 }', '6'],
  ['{ let inBlock = 8; inBlock }', '8'],
  ['const { p, q: [r, ...s], ...t } = { p: 1, q: [2, 3], u: 4 }; [p, r, ...s, t.u].join()', "'1,2,3,4'"],
  ['let [x1 = 5, , y1] = [undefined, 0, 6]; x1 + y1', '11'],
  ['const crypto = require("node:crypto"); crypto.createHash("md5").update("").digest("hex").length', '32'],
  ['const result = 1; result', '1'],
  ['"text"', "'text'"],
  ['#!/usr/bin/env node\n9', '9'],
  ['x2 = 1\r\nx2\r\n', '1'],
  ['', undefined],
  ['// nothing', undefined],
  [';;', undefined],
  ['null', 'null'],
] as const) {
  test(`the value of ${JSON.stringify(code)} is ${expected}`, async () => {
    assert.equal(await value(code), expected)
  })
  if (!code.startsWith('#!'))
    test(`the value is the same after an await: ${JSON.stringify(code)}`, async () => {
      assert.equal(await value(`void (await 0);\n${code}`), expected)
    })
}

for (const [code, expected] of [
  ['{ a: await 1 }', '{ a: 1 }'],
  ['{ a: 1 } // a comment', '{ a: 1 }'],
  ['#!/usr/bin/env node\nawait 9', '9'],
  ['"use strict"; (function () { return this })()', undefined],
  ['"use strict"; await 0; (function () { return this })()', undefined],
  ['const fs = await import("node:fs"); ({ a: typeof fs.statSync })', "{ a: 'function' }"],
  ['for await (const each of [1, 2]) each', '2'],
  ['async function* count() { yield 1; yield 2 }\nfor await (var c2 of count()) c2', '2'],
  ['if (await 1) "yes"', "'yes'"],
  ['`${await 1}-${await 2}`', "'1-2'"],
  ['const { v1 = await 3 } = {}; v1', '3'],
  ['import { basename as base } from "node:path"\n(base("/a/b"))', "'b'"],
  [
    'import defaultOs, * as whole from "node:os" // a comment\n;[typeof defaultOs, typeof whole].join()',
    "'object,object'",
  ],
  ['import "node:os"\n`done`', "'done'"],
  ['import crypto from "node:crypto"; typeof crypto.createHash', "'function'"],
  ['import { setTimeout as sleep } from "node:timers/promises"; await sleep(1, "slept")', "'slept'"],
  ['Promise.resolve(5)', '5'],
] as const)
  test(`the value of ${JSON.stringify(code)} is ${expected}`, async () => {
    assert.equal(await value(code), expected)
  })

test('names can be declared again, by every kind of declaration, with and without await', async () => {
  const kinds = ['let x = "$"', 'const x = "$"', 'var x = "$"', 'class x { static toString() { return "$" } }']
  const ways = [...kinds, 'function x() {}; x.toString = () => "$"', 'const { y: x } = { y: "$" }']
  let round = 0
  for (const first of ways)
    for (const second of ways)
      for (const prefix of ['', 'await 0; ']) {
        await value(first.replace('$', 'first'))
        assert.equal(await value(`${prefix}${second.replace('$', String(++round))}\nString(x)`), `'${round}'`)
        assert.equal(await value('String(x)'), `'${round}'`, `${first}, then ${prefix}${second}`)
      }
})

test('a var without an initializer keeps its value, a let is undefined', async () => {
  await value('var kept = 1')
  assert.equal(await value('var kept; await 0; kept'), '1')
  assert.equal(await value('var kept; kept'), '1')
  assert.equal(await value('let kept; await 0; kept'), undefined)
})

for (const [code, name, message] of [
  ['const x = await fetch(', 'SyntaxError', /^Unexpected token$/],
  ['import { a from "node:os"', 'SyntaxError', /^Unexpected token$/],
  ['await 1\nreturn 2', 'SyntaxError', /^'return' outside of function$/],
  ['const = 1', 'SyntaxError', /^Unexpected token '='$/],
  ['await 0\nnull.x', 'TypeError', /null/],
  ['import { nothing } from "./no-such-file.mjs"', 'Error', /no-such-file/],
] as const)
  test(`${JSON.stringify(code)} fails with ${name}: ${message.source}`, async () => {
    const failed = (await run(code)).find((event) => event.event === 'error')
    assert.equal(failed?.name, name)
    assert.match(failed.message, message)
  })

test('a syntax error is shown with its line', async () => {
  const failed = (await run('await 1\nlet x = (2')).find((event) => event.event === 'error')
  assert.match(failed!.traceback.join('\n'), /^cell-\d+:2\nlet x = \(2\n {10}\^\n\nSyntaxError: Unexpected token$/)
})
