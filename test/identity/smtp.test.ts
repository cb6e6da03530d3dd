import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { newAddress } from './outbox.ts'

interface Received {
  from: string
  to: string[]
  content: string
  user: string
}

describe('mail over SMTP', { timeout: 300_000 }, () => {
  const received: Received[] = []
  let smtp: SMTPServer
  let server: TestApp
  before(async () => {
    smtp = new SMTPServer({
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        password === 'p@ss' ? done(null, { user: username }) : done(new Error('wrong password')),
      onData: (stream, session, done) =>
        void buffer(stream).then((content) => {
          const { mailFrom, rcptTo } = session.envelope
          received.push({
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            content: content.toString(),
            user: String(session.user),
          })
          done()
        }),
    })
    smtp.listen(0, '127.0.0.1')
    await once(smtp.server, 'listening')
    const { port } = smtp.server.address() as AddressInfo
    server = await TestApp.start({
      env: {
        CARREL_SMTP_URL: `smtp://carrel:p%40ss@127.0.0.1:${port}?ignoreTLS=true`,
        CARREL_PUBLIC_URL: 'https://carrel.example.com',
        CARREL_MAIL_FROM: 'Carrel <hello@example.com>',
      },
    })
  })
  after(async () => {
    await server.stop()
    await new Promise<void>((resolve) => smtp.close(() => resolve()))
  })

  test('a real SMTP conversation delivers the link, which leads to the public address and works', async () => {
    const address = newAddress()
    await server.post('/login', { email: address }, { token: null })
    const message = await until(
      () => received.find(({ to }) => to.includes(address)),
      (found) => found !== undefined,
    )
    assert.deepEqual([message?.from, message?.to, message?.user], ['hello@example.com', [address], 'carrel'])
    const text = message!.content.replaceAll('=\r\n', '').replaceAll('=3D', '=')
    assert.match(text, /^Subject: Sign in to Carrel\r$/m)
    const [, token] = /https:\/\/carrel\.example\.com\/login\/callback\?token=([\w-]{43})\r\n/.exec(text)!
    const { status, body } = await server.post('/login/callback', { token }, { token: null })
    assert.deepEqual([status, body.token.startsWith('pp_sess_')], [200, true])
  })

  test('the answer neither waits for the mail server nor reveals that it is gone; the log does', async () => {
    await new Promise<void>((resolve) => smtp.close(() => resolve()))
    const { status, body } = await server.post('/login', { email: newAddress() }, { token: null })
    assert.deepEqual([status, body.success], [200, true])
    assert.match(body.message, /^Check your email/)
    await until(
      () => server.log(),
      (log) => log.includes('cannot send a sign-in link'),
    )
    assert.ok(!server.log().includes('p@ss') && !server.log().includes('p%40ss'))
  })
})
