import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { Slices } from '../slices.ts'
import { base64Text, utf8Text } from './large-text.ts'
import { JsonError, parseJson } from './parse-json.ts'
import { writeJson } from './write-json.ts'
import { turnsDuring } from '../../test/support/turns-during.ts'

const bounds = { keyLength: 1_000_000, values: 1_000_000, depth: 100, keys: 100_000 }
const parse = async (text: string | Buffer, more = {}) =>
  (await parseJson(Buffer.from(text as string), { ...bounds, ...more }, new Slices('test'))).value
const write = async (value: unknown) => {
  let text = ''
  for await (const piece of writeJson(value, new Slices('test'))) text += piece
  return text
}

/** Returns values of all kinds, the same for the same seed. */
function anyValue(random: () => number, depth = 0): unknown {
  const choice = Math.floor(random() * (depth > 4 ? 5 : 7))
  if (choice === 0) return [null, true, false][Math.floor(random() * 3)]
  if (choice === 1) return (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20)
  if (choice < 5) return anyText(random)
  const size = Math.floor(random() * 5)
  if (choice === 5) return Array.from({ length: size }, () => anyValue(random, depth + 1))
  return Object.fromEntries(Array.from({ length: size }, () => [anyText(random), anyValue(random, depth + 1)]))
}

function anyText(random: () => number): string {
  const alphabet = ['a', '"', '\\', '\n', '\u0001', 'é', '€', '😀', '\u2028', '/', ' ', '{', ']', '\ud83d\ude00']
  const length = random() < 0.05 ? 70_000 : Math.floor(random() * 12)
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Returns JSON with every character of its texts escaped. */
function escaped(text: string): string {
  return text.replace(/[^{}[\]":,\d.\\a-z-]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

describe('parseJson() and writeJson()', () => {
  test('agree with JSON.parse and JSON.stringify', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = seeded(seed)
      const value = Array.from({ length: 8 }, () => anyValue(random))
      const text = JSON.stringify(value)
      assert.deepEqual(await parse(text), value)
      assert.deepEqual(await parse(JSON.stringify(value, null, 3)), value)
      assert.equal(await write(value), text)
    }
  })

  test('read escapes and multi-byte characters wherever a part ends', async () => {
    for (let shift = 0; shift < 12; shift++) {
      const text = `${'x'.repeat(65_536 - 6 + shift)}é😀"\\\u0001€`.repeat(2)
      assert.equal(await parse(JSON.stringify(text)), text)
      assert.equal(await parse(escaped(JSON.stringify(text))), text)
    }
    const garbage = Buffer.concat([Buffer.from(`"${'x'.repeat(65_533)}\\n`), Buffer.alloc(9, 0x80), Buffer.from('"')])
    assert.equal(await parse(garbage), JSON.parse(garbage.toString()))
  })

  test('reject invalid JSON', async () => {
    for (const text of [
      '',
      '{',
      '[1,]',
      '{"a":1,}',
      '{"a"}',
      '[1 2]',
      '01',
      '1.',
      '+1',
      '"\\x"',
      '"\n"',
      '"a',
      'nul',
      '{a:1}',
      '1 1',
      ']',
      '[}',
      '"\\u12"',
      '-',
      '{"a":1]',
    ])
      await assert.rejects(parse(text), (error) => error instanceof JsonError && error.kind === 'syntax', text)
  })

  test('reject keys that reach into a prototype, and unpaired surrogates with the path of the field', async () => {
    for (const text of ['{"__proto__":{}}', '{"\\u005f_proto__":1}', '{"constructor":{"prototype":1}}'])
      await assert.rejects(parse(text), { kind: 'prototype' })
    assert.deepEqual(await parse('{"constructor":1,"prototype":{}}'), { constructor: 1, prototype: {} })
    await assert.rejects(parse('{"a":[1,{"b":"x\\ud83d"}]}'), { kind: 'unicode', field: 'a.1.b' })
    await assert.rejects(parse(`{"a":"${'x'.repeat(65_530)}\\ud83dx"}`), { kind: 'unicode', field: 'a' })
    await assert.rejects(parse('{"a":{"\\ude00":1}}'), { kind: 'unicode', field: 'a' })
  })

  test('enforce their bounds', async () => {
    await assert.rejects(parse('['.repeat(5_000_000)), { kind: 'bounds' })
    await assert.rejects(parse(`[${'[],'.repeat(500)}1]`, { values: 500 }), { kind: 'bounds' })
    await assert.rejects(parse('1'.repeat(1_000_000)), { kind: 'syntax' })
  })

  test('leave out what JSON leaves out, and write bytes as text', async () => {
    const value = { a: undefined, b: [undefined, () => 1], c: new Date(0), d: { e: [] }, f: NaN, g: '' }
    assert.equal(await write(value), JSON.stringify(value))
    const bytes = randomBytes(200_001)
    assert.equal(await write({ x: base64Text(bytes) }), JSON.stringify({ x: bytes.toString('base64') }))
    assert.equal(await write([utf8Text(bytes)]), JSON.stringify([bytes.toString('utf8')]))
    const text = '\u0001é😀'.repeat(60_000)
    assert.equal(await write(utf8Text(Buffer.from(text))), JSON.stringify(text))
  })

  test('bound the keys of one object, however many values are allowed', async () => {
    const of = (count: number) => `{"a":[{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join()}}]}`
    await assert.rejects(parse(of(100_001)), { kind: 'bounds', message: /more than 100000 keys/ })
    assert.deepEqual(await parse(of(50_000)), JSON.parse(of(50_000)))
  })

  test('accept long numbers and a byte order mark, as for small bodies', async () => {
    const long = `[4.${'2'.repeat(5_000)},1${'0'.repeat(400)}]`
    assert.deepEqual(await parse(long), JSON.parse(long))
    assert.deepEqual(await parse('\uFEFF{"a":1}'), { a: 1 })
  })

  test('let the event loop turn again and again', async () => {
    const controls = '\u0001'.repeat(8 * 1024 * 1024)
    const body = JSON.stringify({ content: controls })
    const lists = `[${'[[]],'.repeat(400_000)}0]`
    const list = Array.from({ length: 40_000 }, () => ({ a: 'x' }))
    for (const [what, min, work] of [
      ['a text of escapes', 8, () => parse(body)],
      ['many lists', 2, () => parse(lists)],
      ['white space', 2, () => parse(' '.repeat(40_000_000)).catch(() => {})],
      ['writing a text', 6, () => write({ controls })],
      ['writing many at once', 4, () => Promise.all(Array.from({ length: 8 }, () => write({ list })))],
    ] as [string, number, () => Promise<unknown>][]) {
      const turns = await turnsDuring(work)
      assert.ok(turns >= min, `${what}: ${turns} turns`)
    }
  })
})
