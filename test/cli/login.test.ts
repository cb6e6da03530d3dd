import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { messagesTo } from '../identity/outbox.ts'
import { TestApp } from '../support/test-app.ts'
import { CliUser } from './cli-user.ts'

const address = 'Your mail address: '
const link = 'not shown here): '

describe('carrel login at a terminal', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  function newUser(t: TestContext): CliUser {
    const user = new CliUser(server)
    t.after(() => user.home[Symbol.dispose]())
    return user
  }
  const login = () => ['login', '--url', server.url]

  test('asks again after a typing error, without sending another message', async (t) => {
    const user = newUser(t)
    const { exitCode, screen } = await user.atTerminal(login(), [
      [address, () => 'ada'],
      [address, () => user.address],
      [link, () => 'pp_sess_wrong'],
      [link, () => `${server.url}/login/callback?token=wrong`],
      [link, () => user.link('/login/callback')],
    ])
    assert.equal(exitCode, 0, screen)
    assert.match(screen, /e-mail address[^]*Try again[^]*the token is not known\. Try again[^]*Logged in to/)
    assert.equal(messagesTo(user.address).length, 1)
    assert.match(user.saved!, /^pp_sess_/)
  })

  test('gives up after the third error', async (t) => {
    const user = newUser(t)
    const wrong: [string, () => string] = [link, () => 'pp_sess_wrong']
    const { exitCode, screen } = await user.atTerminal(login(), [[address, () => user.address], wrong, wrong, wrong])
    assert.equal(exitCode, 1)
    assert.match(screen, /The token from the terminal was refused/)
    assert.equal(user.saved, undefined)
  })

  test('ends quietly at Ctrl-C', async (t) => {
    const user = newUser(t)
    const { exitCode, screen } = await user.atTerminal(login(), [
      [address, () => user.address],
      [link, () => '\x03'],
    ])
    assert.equal(exitCode, 130)
    assert.equal(screen.split(link)[1]!.trim(), '')
  })
})
