import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../config/limits.ts'
import { environment } from './environment.ts'
import { programFor } from './program.ts'

test('code is passed as an argument to its interpreter, up to the length that the kernel accepts', () => {
  assert.deepEqual(programFor('python', 'print(1)'), { argv: ['python3', '-c', 'print(1)'] })
  assert.deepEqual(programFor('javascript', '1'), { argv: ['node', '-e', '1'] })
  assert.deepEqual(programFor('shell', 'ls'), { argv: ['bash', '-c', 'ls'] })
  const longest = 'ü'.repeat(limits.codeArgumentBytes / 2)
  assert.equal(programFor('shell', longest).stdin, undefined)
  assert.deepEqual(programFor('shell', `${longest}x`), {
    argv: ['bash', '-c', 'eval "$(cat)"'],
    stdin: `${longest}x`,
  })
})

test("the caller's variables win over the image's, and the image's over Carrel's", () => {
  const env = environment({ PATH: '/image', IMAGE: '1' }, { IMAGE: '2', OWN: '' })
  assert.deepEqual(env, { LANG: 'C.UTF-8', PATH: '/image', IMAGE: '2', OWN: '' })
  assert.match(environment({}, undefined).PATH!, /\/usr\/bin/)
})

test('a variable that no environment can hold is refused', () => {
  const refused: Record<string, string>[] = [{ 'A=B': 'x' }, { '': 'x' }, { A: 'x\0y' }, { ['N'.repeat(257)]: 'x' }]
  for (const own of refused)
    assert.throws(() => environment({}, own), { code: 'invalid_request', details: { field: 'env' } })
  const many = Object.fromEntries(
    Array.from({ length: limits.environmentEntries + 1 }, (_, index) => [`V${index}`, 'x']),
  )
  assert.throws(() => environment({}, many), { code: 'invalid_request' })
})
