import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seal, unseal } from './seal.ts'
import { secretKey } from './secret-key.ts'

const key = secretKey(Buffer.alloc(32, 1))

test('unseal() returns what was sealed, and the row does not contain it', () => {
  const row = seal('name', 'sécret', key)
  assert.equal(unseal(row, key), 'sécret')
  assert.ok(!JSON.stringify(row).includes(Buffer.from('sécret').toString('base64url').slice(0, 8)))
  assert.notEqual(seal('name', 'sécret', key).ciphertext, row.ciphertext)
})

test('unseal() throws for another name, another key, and any changed or missing byte', () => {
  const row = seal('name', 'secret', key)
  const bytes = Buffer.from(row.ciphertext, 'base64url')
  const changed = Array.from(bytes, (_, index) => {
    const copy = Buffer.from(bytes)
    copy[index]! ^= 1
    return { ...row, ciphertext: copy.toString('base64url') }
  })
  const wrong = [
    ...changed,
    { ...row, name: 'other' },
    { ...row, nonce: seal('name', 'secret', key).nonce },
    { ...row, nonce: '' },
    ...[0, 1, 12, 16, 21].map((length) => ({ ...row, ciphertext: bytes.subarray(0, length).toString('base64url') })),
  ]
  for (const each of wrong) assert.throws(() => unseal(each, key), JSON.stringify(each))
  assert.throws(() => unseal(row, secretKey(Buffer.alloc(32, 2))))
})

test('the id of a key tells keys apart and is not part of the key', () => {
  assert.match(key.id, /^[0-9a-f]{16}$/)
  assert.notEqual(key.id, secretKey(Buffer.alloc(32, 2)).id)
  assert.ok(!key.bytes.toString('hex').includes(key.id))
})
