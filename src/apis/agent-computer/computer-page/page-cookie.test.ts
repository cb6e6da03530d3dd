import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../../../config/settings.ts'
import { CarrelError } from '../../../errors.ts'
import { assertOwnOrigin } from './own-origin.ts'
import { pageCredential, sessionCookie } from './page-cookie.ts'

const settings = readSettings({ CARREL_PUBLIC_URL: 'https://carrel.example', CARREL_PREVIEW_DOMAIN: 'preview.example' })

test('by https the cookie is one that no other host of the domain can set', () => {
  const cookie = sessionCookie(settings, 'pp_access_a', Date.now() + 60_500)
  assert.equal(cookie, '__Host-carrel_page=pp_access_a; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure')
  for (const [sent, token] of [
    ['__Host-carrel_page=pp_access_a; b=c', 'pp_access_a'],
    ['carrel_page=pp_access_a', undefined],
    ['__Host-carrel_page=pp_access_a; __Host-carrel_page=pp_access_b', undefined],
    ['__Host-carrel_page=pp_sess_a', undefined],
  ] as const)
    assert.deepEqual(pageCredential(settings, { cookie: sent }), { token, isCookie: true }, sent)
})

test('by https a page that came by http is of another origin', () => {
  const from = (origin: string) => ({ method: 'POST', headers: { host: 'desk.preview.example', origin } }) as never
  assertOwnOrigin(settings, from('https://desk.preview.example'))
  for (const origin of [
    'http://desk.preview.example',
    'https://desk.preview.example:8443',
    'https://a.example',
    'null',
  ])
    assert.throws(() => assertOwnOrigin(settings, from(origin)), CarrelError, origin)
})
