import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestServer } from '../support/server.ts'
import { Person } from './person.ts'

describe('carrel login with an invitation', { timeout: 180_000 }, () => {
  let server: TestServer
  let ann: Person
  let workspace: string
  const people: Person[] = []
  before(async () => {
    server = await TestServer.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    ann = await someone(true)
    workspace = (await ann.told('create', 'Research')).trim()
  })
  after(async () => {
    for (const { home } of people) home[Symbol.dispose]()
    await server.stop()
  })

  const someone = async (isSignedIn: boolean) => {
    const person = isSignedIn ? await Person.signIn(server) : new Person(server)
    people.push(person)
    return person
  }
  const invited = async (isSignedIn: boolean) => {
    const person = await someone(isSignedIn)
    await ann.told('invite', person.address, '--workspace', workspace)
    return { person, link: await person.link('/invitation') }
  }
  const isMember = async ({ address }: Person) =>
    (await ann.json('members', '--workspace', workspace)).members.some(
      ({ email }: { email: string }) => email === address,
    )

  test('who is signed in joins, keeps their token, and is told how to work there', async () => {
    const { person, link } = await invited(true)
    const { exitCode, stdout, stderr } = await person.home.run(['login', link])
    assert.deepEqual(
      [exitCode, stdout, stderr],
      [
        0,
        `${person.address} joined the workspace Research as member, invited by ${ann.address}.\n"carrel workspaces use ${workspace}" works in it.\n`,
        '',
      ],
    )
    assert.equal(person.saved, person.token)
    assert.match(await person.told(), /^ +Research +member /m)
    const again = await person.home.run(['login', link])
    assert.equal(again.exitCode, 1)
    assert.match(again.stderr, /the invitation was used or revoked/)
    assert.doesNotMatch(again.stderr, /No token|--url/)
  })

  test('who is not signed in joins and goes on with signing in, by the other message', async () => {
    const { person, link } = await invited(false)
    const { exitCode, screen } = await person.atTerminal(
      ['login', link, '--url', server.url],
      [['not shown here): ', () => person.link('/login/callback')]],
    )
    assert.equal(exitCode, 0, screen)
    assert.match(screen, /joined the workspace Research as member[^]*A link was sent to [^]*Logged in to /)
    assert.match(screen, new RegExp(`"carrel workspaces use ${workspace}" selects it`))
    const { body: me } = await server.call('GET', '/v1/me', undefined, { token: person.saved! })
    assert.equal(me.email, person.address)
  })

  test('pasted where the link for signing in is asked for it makes a member too, and that one is asked for again', async () => {
    const { person, link } = await invited(false)
    const { exitCode, screen } = await person.atTerminal(
      ['login', '--url', server.url],
      [
        ['Your mail address: ', () => person.address],
        ['not shown here): ', () => link],
        ['not shown here): ', () => person.link('/login/callback')],
      ],
    )
    assert.equal(exitCode, 0, screen)
    assert.match(screen, /joined the workspace Research[^]*which signs nobody in[^]*Logged in to /)
    assert.ok(await isMember(person))
  })

  test('it signs nobody in as somebody else: who brings it keeps their own token, or has none', async () => {
    const { person, link } = await invited(true)
    const thief = await someone(true)
    const { exitCode, stdout } = await thief.home.run(['login', link])
    assert.equal(exitCode, 0)
    assert.match(
      stdout,
      /The token from ~\/\.carrel\/config\.json belongs to somebody else and is kept\. "carrel login /,
    )
    assert.equal(thief.saved, thief.token)
    assert.deepEqual([await isMember(person), await isMember(thief)], [true, false])
    const { link: second } = await invited(false)
    const nobody = await someone(false)
    const piped = await nobody.home.run(['login', '--url', server.url], { input: `${second}\n` })
    assert.equal(piped.exitCode, 0)
    assert.match(piped.stdout, /joined the workspace Research[^]*"carrel login \S+" signs in with that address/)
    assert.doesNotMatch(piped.stdout, /pp_sess_/)
    assert.equal(nobody.saved, undefined)
    const { link: third, person: guest } = await invited(true)
    const { joined } = JSON.parse((await guest.home.run(['login', third, '--json'])).stdout)
    assert.deepEqual(joined, {
      workspace_id: workspace,
      name: 'Research',
      role: 'member',
      email: guest.address,
      signed_in: true,
    })
  })

  test('a link of another server, and one without its code, are said to be so', async () => {
    const { person, link } = await invited(true)
    const elsewhere = link.replace(/^https?:\/\/[^/]+/, 'https://carrel.example.com').replace(/token=/, 'token=x')
    const other = await person.home.run(['login', elsewhere])
    assert.equal(other.exitCode, 1)
    assert.match(other.stderr, /The link is from https:\/\/carrel\.example\.com, but .* --url https:\/\/carrel/)
    const cut = await person.home.run(['login', link.split('?')[0]!])
    assert.equal(cut.exitCode, 2)
    assert.match(cut.stderr, /there is no code in it/)
  })
})
