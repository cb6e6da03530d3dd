import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestApp } from '../support/test-app.ts'
import { CliUser } from './cli-user.ts'

describe('carrel login with an invitation', { timeout: 300_000 }, () => {
  let server: TestApp
  let ann: CliUser
  let workspace: string
  const users: CliUser[] = []
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    ann = await someone(true)
    workspace = (await ann.output('create', 'Research')).trim()
  })
  after(async () => {
    for (const { home } of users) home[Symbol.dispose]()
    await server.stop()
  })

  const someone = async (isSignedIn: boolean) => {
    const user = isSignedIn ? await CliUser.signIn(server) : new CliUser(server)
    users.push(user)
    return user
  }
  const invited = async (isSignedIn: boolean) => {
    const user = await someone(isSignedIn)
    await ann.output('invite', user.address, '--workspace', workspace)
    return { user, link: await user.link('/invitation') }
  }
  const isMember = async ({ address }: CliUser) =>
    (await ann.json('members', '--workspace', workspace)).members.some(
      ({ email }: { email: string }) => email === address,
    )

  test('a signed-in user joins, keeps their token, and learns how to work there', async () => {
    const { user, link } = await invited(true)
    const { exitCode, stdout, stderr } = await user.home.run(['login', link])
    assert.deepEqual(
      [exitCode, stdout, stderr],
      [
        0,
        `${user.address} joined the workspace Research as member, invited by ${ann.address}.\n"carrel workspaces use ${workspace}" selects it.\n`,
        '',
      ],
    )
    assert.equal(user.saved, user.token)
    assert.match(await user.output(), /^ +Research +member /m)
    const again = await user.home.run(['login', link])
    assert.equal(again.exitCode, 1)
    assert.match(again.stderr, /the invitation was used or revoked/)
    assert.doesNotMatch(again.stderr, /No token|--url/)
  })

  test('a user who is not signed in joins, and continues with signing in, by the other message', async () => {
    const { user, link } = await invited(false)
    const { exitCode, screen } = await user.atTerminal(
      ['login', link, '--url', server.url],
      [['not shown here): ', () => user.link('/login/callback')]],
    )
    assert.equal(exitCode, 0, screen)
    assert.match(screen, /joined the workspace Research as member[^]*A link was requested for [^]*Logged in to /)
    assert.match(screen, new RegExp(`"carrel workspaces use ${workspace}" selects it`))
    const { body: me } = await server.call('GET', '/v1/me', undefined, { token: user.saved! })
    assert.equal(me.email, user.address)
  })

  test('an invitation pasted instead of the sign-in link is accepted too, and the sign-in link is requested again', async () => {
    const { user, link } = await invited(false)
    const { exitCode, screen } = await user.atTerminal(
      ['login', '--url', server.url],
      [
        ['Your mail address: ', () => user.address],
        ['not shown here): ', () => link],
        ['not shown here): ', () => user.link('/login/callback')],
      ],
    )
    assert.equal(exitCode, 0, screen)
    assert.match(screen, /joined the workspace Research[^]*which signs nobody in[^]*Logged in to /)
    assert.ok(await isMember(user))
  })

  test('an invitation never signs its bearer in as the invited user: they keep their own token, or have none', async () => {
    const { user, link } = await invited(true)
    const thief = await someone(true)
    const { exitCode, stdout } = await thief.home.run(['login', link])
    assert.equal(exitCode, 0)
    assert.match(
      stdout,
      /The token from ~\/\.carrel\/config\.json belongs to somebody else and is kept\. "carrel login /,
    )
    assert.equal(thief.saved, thief.token)
    assert.deepEqual([await isMember(user), await isMember(thief)], [true, false])
    const { link: second } = await invited(false)
    const nobody = await someone(false)
    const piped = await nobody.home.run(['login', '--url', server.url], { input: `${second}\n` })
    assert.equal(piped.exitCode, 0)
    assert.match(piped.stdout, /joined the workspace Research[^]*"carrel login \S+" signs in with that address/)
    assert.doesNotMatch(piped.stdout, /pp_sess_/)
    assert.equal(nobody.saved, undefined)
    const { link: third, user: guest } = await invited(true)
    const { joined } = JSON.parse((await guest.home.run(['login', third, '--json'])).stdout)
    assert.deepEqual(joined, {
      workspace_id: workspace,
      name: 'Research',
      role: 'member',
      email: guest.address,
      signed_in: true,
    })
  })

  test('a link of another server, and one without its code, are reported as such', async () => {
    const { user, link } = await invited(true)
    const elsewhere = link.replace(/^https?:\/\/[^/]+/, 'https://carrel.example.com').replace(/token=/, 'token=x')
    const other = await user.home.run(['login', elsewhere])
    assert.equal(other.exitCode, 1)
    assert.match(other.stderr, /[^\n]\. The link is from https:\/\/carrel\.example\.com, but .* --url https:\/\/carrel/)
    assert.doesNotMatch(other.stderr, /\\x/)
    const cut = await user.home.run(['login', link.split('?')[0]!])
    assert.equal(cut.exitCode, 2)
    assert.match(cut.stderr, /there is no code in it/)
  })
})
