import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callbackOf, callbackWith, sourceOf } from './callback.ts'

const parsed = (callback_url: string) => callbackOf({ callback_url, state: 'a state' })

for (const url of [
  'http://127.0.0.1:4000/callback',
  'http://localhost:4000',
  'http://[::1]:4000/callback',
  'http://127.1:4000/',
])
  test(`${url} may get a key`, () => {
    const address = new URL(callbackWith(parsed(url), { api_key: 'ak_x' }))
    assert.deepEqual(
      [...address.searchParams],
      [
        ['state', 'a state'],
        ['api_key', 'ak_x'],
      ],
    )
    assert.equal(address.port, '4000')
  })

for (const url of [
  'https://127.0.0.1:4000/callback',
  'http://127.0.0.1/callback',
  'http://127.0.0.1:80/callback',
  'http://127.0.0.1:0/callback',
  'http://127.0.0.2:4000/callback',
  'http://0.0.0.0:4000/callback',
  'http://[::]:4000/callback',
  'http://[::ffff:127.0.0.1]:4000/callback',
  'http://example.com:4000/callback',
  'http://localhost.example.com:4000/callback',
  'http://desk.localhost:4000/callback',
  'http://localhost.:4000/callback',
  'http://127.0.0.1:4000@example.com:4000/callback',
  'http://user@127.0.0.1:4000/callback',
  'http://127.0.0.1:4000/callback#x',
  'http://127.0.0.1:70000/callback',
  'javascript://127.0.0.1:4000/%0aalert(1)',
  '//127.0.0.1:4000/callback',
  '/callback',
  '',
])
  test(`${JSON.stringify(url)} gets no key`, () => {
    assert.throws(() => parsed(url), { code: 'invalid_request' })
  })

test('what the address of the callback says itself is kept, except the fields of a result', () => {
  const callback = parsed('http://127.0.0.1:4000/callback?api_key=ak_other&x=1')
  assert.equal(
    callbackWith(callback, { error: 'no & no' }),
    'http://127.0.0.1:4000/callback?x=1&state=a+state&error=no+%26+no',
  )
})

test('a policy names the one origin of the callback where it can', () => {
  assert.equal(sourceOf(parsed('http://localhost:4000/callback')), 'http://localhost:4000')
  assert.equal(sourceOf(parsed('http://[::1]:4000/callback')), 'http:')
})
