import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newAddress } from '../identity/outbox.ts'
import { TestServer } from '../support/server.ts'
import { Person } from './person.ts'

describe('carrel workspaces', { timeout: 180_000 }, () => {
  let server: TestServer
  let ann: Person
  let bob: Person
  before(async () => {
    server = await TestServer.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    ann = await Person.signIn(server)
    bob = await Person.signIn(server)
  })
  after(async () => {
    for (const { home } of [ann, bob]) home[Symbol.dispose]()
    await server.stop()
  })

  const idOf = async (who: Person, name: string) =>
    (await who.json()).workspaces.find((workspace: { name: string }) => workspace.name === name).workspace_id as string

  test('lists them with role, members and balance, and the one in use is where commands work', async () => {
    const name = ann.address.split('@')[0]!
    const own = await idOf(ann, name)
    const made = await ann.told('create', 'Research')
    const id = made.trim()
    assert.match(id, /^\w+$/, 'for a script the id alone')
    const lines = (await ann.told()).split('\n').map((line) => line.split(/ {2,}/).filter(Boolean))
    assert.deepEqual(lines.slice(0, 3), [
      ['NAME', 'ROLE', 'MEMBERS', 'BALANCE', 'ID'],
      ['*', name, 'owner', '1', '$5.00', own],
      ['Research', 'owner', '1', '$0.00', id],
    ])
    assert.match(await ann.told('use', 'Research'), /^Research is selected: /)
    assert.equal(ann.saved, `${ann.token}~${id}`)
    assert.match(await ann.told(), /^\* +Research /m)
    assert.match((await ann.home.run(['balance'])).stdout, /^Credits +\$0\.00$/m)
    await ann.home.run(['mem:write', 'plan.md'], { input: 'of the workspace' })
    await ann.told('use', own)
    assert.equal(ann.saved, ann.token, 'in their own it is the token alone')
    assert.equal((await ann.home.run(['mem:read', 'plan.md'])).exitCode, 1)
    const { workspaces } = await ann.json('list')
    assert.deepEqual(
      workspaces.map((one: Record<string, unknown>) => [one['name'], one['in_use'], one['balance']]),
      [
        [name, true, 5],
        ['Research', false, 0],
      ],
    )
  })

  test('invites, shows, promotes and removes people by their address', async () => {
    const inUse = ['--workspace', 'Research']
    assert.match(await ann.told('invite', bob.address, ...inUse), /^Invited \S+ into Research as member\.$/m)
    assert.match(await ann.told('members', ...inUse), new RegExp(`^${bob.address} +- +member, invited +until `, 'm'))
    assert.match(await ann.told('remove', bob.address, ...inUse), /^Revoked the invitation of /)
    assert.equal((await ann.json('members', ...inUse)).invitations.length, 0)
    await ann.told('invite', bob.address, '--role', 'admin', ...inUse)
    await bob.accept()
    const rows = (await ann.told('members', ...inUse)).trimEnd().split('\n')
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/).filter((_, column) => column !== 1 && column !== 3)),
      [
        ['EMAIL', 'ROLE'],
        [ann.address, 'owner'],
        [bob.address, 'admin'],
      ],
    )
    assert.match(await bob.told(), /^ +Research +admin +2 /m)
    assert.match(await ann.told('role', bob.address.toUpperCase(), 'member', ...inUse), /is now member of Research$/m)
    await bob.told('use', 'Research')
    assert.equal((await bob.run('invite', newAddress())).exitCode, 1, 'takes an admin')
    assert.match(await ann.told('remove', bob.address, ...inUse), /^Removed .* with the API keys/)
    assert.equal((await bob.home.run(['mem:ls'])).exitCode, 1)
  })

  test('who is removed from the one in use is told, and finds back', async () => {
    const lost = await bob.home.run(['mem:ls'])
    assert.match(lost.stderr, /"carrel workspaces use <name>" chooses one/)
    const { stdout, stderr } = await bob.run()
    assert.doesNotMatch(stdout, /^\*|Research/m)
    assert.match(stderr, /which is deleted or no longer has you as a member: "carrel workspaces use <name>"/)
    const refused = await bob.run('members')
    assert.equal(refused.exitCode, 2)
    assert.match(refused.stderr, /which is deleted or no longer has you as a member/)
    await bob.told('use', bob.address.split('@')[0]!)
    assert.equal((await bob.home.run(['mem:ls'])).exitCode, 0)
  })

  test('leaving the one in use leads back to the own one', async () => {
    const id = (await ann.told('create', 'Short')).trim()
    await ann.told('invite', bob.address, '--role', 'owner', '--workspace', id)
    await bob.accept()
    await bob.told('use', id)
    assert.match(await bob.told('leave'), new RegExp(`^Left Short; ${bob.address.split('@')[0]} is selected now$`, 'm'))
    assert.equal(bob.saved, bob.token)
    await ann.told('invite', bob.address, '--role', 'admin', '--workspace', id)
    await bob.accept()
    const { body: key } = await server.post('/users/me/api-keys', {}, { token: `${bob.token}~${id}` })
    await bob.home.run(['login', key.api_key, '--url', server.url])
    const byKey = await bob.run('leave')
    assert.equal(byKey.exitCode, 1)
    assert.match(byKey.stderr, /Cannot remove a member by an API key/)
    await bob.home.run(['login', bob.token, '--url', server.url])
    await bob.told('leave', '--workspace', id)
    const last = await ann.run('leave', '--workspace', id)
    assert.equal(last.exitCode, 1)
    assert.match(last.stderr, /last owner/)
  })

  test('delete asks, can be told not to, and is taken back', async () => {
    const id = (await ann.told('create', 'Doomed')).trim()
    const unsure = await ann.run('delete', 'Doomed')
    assert.equal(unsure.exitCode, 2)
    assert.match(unsure.stderr, /workspaces delete --yes/)
    const no = await ann.atTerminal(['workspaces', 'delete', 'Doomed'], [['(yes/no) ', () => 'no']])
    assert.equal(no.exitCode, 2, no.screen)
    assert.match(no.screen, /Delete Doomed\? It is deleted in 30 days with everything in it, for you\. \(yes\/no\)/)
    assert.doesNotMatch(await ann.told(), /deleted/)
    const yes = await ann.atTerminal(['workspaces', 'delete', 'Doomed'], [['(yes/no) ', () => 'yes']])
    assert.equal(yes.exitCode, 0, yes.screen)
    assert.match(await ann.told(), /^ +Doomed .* deleted at \d{4}-\d\d-\d\d/m)
    assert.equal(await ann.told('cancel-deletion', id), 'Doomed is kept.\n')
    assert.match((await ann.json('delete', id, '--yes')).delete_at, /^\d{4}-/)
    const own = await ann.run('delete', ann.address.split('@')[0]!, '--yes')
    assert.match(own.stderr, /carrel account delete/)
  })

  test('says what it does not understand', async () => {
    for (let count = 0; count < 2; count++) await ann.told('create', 'Twice')
    const cases: [string[], RegExp][] = [
      [['membres'], /Cannot do "membres" with workspaces: did you mean "members"\?/],
      [['use'], /The command is "carrel workspaces use <name>"/],
      [['role', bob.address], /"carrel workspaces role <email> <role>"/],
      [['role', bob.address, 'king'], /"king" as a role: it has to be one of member, admin, owner/],
      [['use', 'Nowhere'], /Cannot find the workspace "Nowhere"/],
      [['use', 'Twice'], /2 workspaces have this name; use the id, \w+ or \w+/],
      [['remove', 'nobody@example.com'], /Cannot find "nobody@example\.com" in /],
    ]
    for (const [args, expected] of cases) {
      const { exitCode, stderr } = await ann.run(...args)
      assert.equal(exitCode, 2, args.join(' '))
      assert.match(stderr, expected)
    }
    const given = await ann.run('use', 'Research', '--token', ann.token)
    assert.equal(given.exitCode, 2)
    assert.match(given.stderr, /the token is from --token.* append "~\w+" to the token/)
  })
})
