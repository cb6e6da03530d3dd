import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { messagesTo } from '../identity/outbox.ts'
import { TestServer } from '../support/server.ts'
import { Person } from './person.ts'

const address = 'Your mail address: '
const link = 'not shown here): '

describe('carrel login at a terminal', { timeout: 120_000 }, () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  function newPerson(t: TestContext): Person {
    const person = new Person(server)
    t.after(() => person.home[Symbol.dispose]())
    return person
  }
  const login = () => ['login', '--url', server.url]

  test('asks again for what was mistyped, and sends no other message for that', async (t) => {
    const person = newPerson(t)
    const { exitCode, screen } = await person.atTerminal(login(), [
      [address, () => 'ada'],
      [address, () => person.address],
      [link, () => 'pp_sess_wrong'],
      [link, () => `${server.url}/login/callback?token=wrong`],
      [link, () => person.link('/login/callback')],
    ])
    assert.equal(exitCode, 0, screen)
    assert.match(screen, /e-mail address[^]*Try again[^]*the token is not known\. Try again[^]*Logged in to/)
    assert.equal(messagesTo(person.address).length, 1)
    assert.match(person.saved!, /^pp_sess_/)
  })

  test('gives up after the third', async (t) => {
    const person = newPerson(t)
    const wrong: [string, () => string] = [link, () => 'pp_sess_wrong']
    const { exitCode, screen } = await person.atTerminal(login(), [
      [address, () => person.address],
      wrong,
      wrong,
      wrong,
    ])
    assert.equal(exitCode, 1)
    assert.match(screen, /The token from the terminal was refused/)
    assert.equal(person.saved, undefined)
  })

  test('ends quietly at Ctrl-C', async (t) => {
    const person = newPerson(t)
    const { exitCode, screen } = await person.atTerminal(login(), [
      [address, () => person.address],
      [link, () => '\x03'],
    ])
    assert.equal(exitCode, 130)
    assert.equal(screen.split(link)[1]!.trim(), '')
  })
})
