import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newAddress } from '../identity/outbox.ts'
import { TestApp } from '../support/test-app.ts'
import { CliUser } from './cli-user.ts'

describe('carrel workspaces', { timeout: 300_000 }, () => {
  let server: TestApp
  let ann: CliUser
  let bob: CliUser
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    ann = await CliUser.signIn(server)
    bob = await CliUser.signIn(server)
  })
  after(async () => {
    for (const { home } of [ann, bob]) home[Symbol.dispose]()
    await server.stop()
  })

  const idOf = async (who: CliUser, name: string) =>
    (await who.json()).workspaces.find((workspace: { name: string }) => workspace.name === name).workspace_id as string

  test('lists workspaces with role, members and balance; commands work in the one in use', async () => {
    const name = ann.address.split('@')[0]!
    const own = await idOf(ann, name)
    const made = await ann.output('create', 'Research')
    const id = made.trim()
    assert.match(id, /^\w+$/, 'a script gets only the id')
    const lines = (await ann.output()).split('\n').map((line) => line.split(/ {2,}/).filter(Boolean))
    assert.deepEqual(lines.slice(0, 3), [
      ['NAME', 'ROLE', 'MEMBERS', 'BALANCE', 'ID'],
      ['*', name, 'owner', '1', '$5.00', own],
      ['Research', 'owner', '1', '$0.00', id],
    ])
    assert.match(await ann.output('use', 'Research'), /^Research is selected: /)
    assert.equal(ann.saved, `${ann.token}~${id}`)
    assert.match(await ann.output(), /^\* +Research /m)
    assert.match((await ann.home.run(['balance'])).stdout, /^Credits +\$0\.00$/m)
    await ann.home.run(['mem:write', 'plan.md'], { input: 'of the workspace' })
    await ann.output('use', own)
    assert.equal(ann.saved, ann.token, 'in their own workspace it is the token alone')
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

  test('invites, shows, promotes and removes users by their address', async () => {
    const inUse = ['--workspace', 'Research']
    assert.match(await ann.output('invite', bob.address, ...inUse), /^Invited \S+ into Research as member\.$/m)
    assert.match(await ann.output('members', ...inUse), new RegExp(`^${bob.address} +- +member, invited +until `, 'm'))
    assert.match(await ann.output('remove', bob.address, ...inUse), /^Revoked the invitation of /)
    assert.equal((await ann.json('members', ...inUse)).invitations.length, 0)
    await ann.output('invite', bob.address, '--role', 'admin', ...inUse)
    await bob.accept()
    const rows = (await ann.output('members', ...inUse)).trimEnd().split('\n')
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/).filter((_, column) => column !== 1 && column !== 3)),
      [
        ['EMAIL', 'ROLE'],
        [ann.address, 'owner'],
        [bob.address, 'admin'],
      ],
    )
    assert.match(await bob.output(), /^ +Research +admin +2 /m)
    assert.match(await ann.output('role', bob.address.toUpperCase(), 'member', ...inUse), /is now member of Research$/m)
    await bob.output('use', 'Research')
    assert.equal((await bob.run('invite', newAddress())).exitCode, 1, 'takes an admin')
    assert.match(await ann.output('remove', bob.address, ...inUse), /^Removed .* with the API keys/)
    assert.equal((await bob.home.run(['mem:ls'])).exitCode, 1)
  })

  test('a user who was removed from the workspace in use is told so, and can return to their own', async () => {
    const lost = await bob.home.run(['mem:ls'])
    assert.match(lost.stderr, /"carrel workspaces use <name>" chooses one/)
    const { stdout, stderr } = await bob.run()
    assert.doesNotMatch(stdout, /^\*|Research/m)
    assert.match(stderr, /which is deleted or no longer has you as a member: "carrel workspaces use <name>"/)
    const refused = await bob.run('members')
    assert.equal(refused.exitCode, 2)
    assert.match(refused.stderr, /which is deleted or no longer has you as a member/)
    await bob.output('use', bob.address.split('@')[0]!)
    assert.equal((await bob.home.run(['mem:ls'])).exitCode, 0)
  })

  test('leaving the workspace in use returns to the own one', async () => {
    const id = (await ann.output('create', 'Short')).trim()
    await ann.output('invite', bob.address, '--role', 'owner', '--workspace', id)
    await bob.accept()
    await bob.output('use', id)
    assert.match(
      await bob.output('leave'),
      new RegExp(`^Left Short; ${bob.address.split('@')[0]} is selected now$`, 'm'),
    )
    assert.equal(bob.saved, bob.token)
    await ann.output('invite', bob.address, '--role', 'admin', '--workspace', id)
    await bob.accept()
    const { body: key } = await server.post('/users/me/api-keys', {}, { token: `${bob.token}~${id}` })
    await bob.home.run(['login', key.api_key, '--url', server.url])
    const byKey = await bob.run('leave')
    assert.equal(byKey.exitCode, 1)
    assert.match(byKey.stderr, /Cannot remove a member with an API key/)
    await bob.home.run(['login', bob.token, '--url', server.url])
    await bob.output('leave', '--workspace', id)
    const last = await ann.run('leave', '--workspace', id)
    assert.equal(last.exitCode, 1)
    assert.match(last.stderr, /last owner/)
  })

  test('delete asks for confirmation, accepts a no, and can be undone', async () => {
    const id = (await ann.output('create', 'Doomed')).trim()
    const unsure = await ann.run('delete', 'Doomed')
    assert.equal(unsure.exitCode, 2)
    assert.match(unsure.stderr, /workspaces delete --yes/)
    const no = await ann.atTerminal(['workspaces', 'delete', 'Doomed'], [['(yes/no) ', () => 'no']])
    assert.equal(no.exitCode, 2, no.screen)
    assert.match(no.screen, /Delete Doomed\? It is deleted in 30 days with everything in it, for you\. \(yes\/no\)/)
    assert.match(no.screen, /carrel: Nothing was deleted\s*$/)
    assert.doesNotMatch(await ann.output(), /deleted/)
    const yes = await ann.atTerminal(['workspaces', 'delete', 'Doomed'], [['(yes/no) ', () => 'yes']])
    assert.equal(yes.exitCode, 0, yes.screen)
    assert.match(await ann.output(), /^ +Doomed .* deleted at \d{4}-\d\d-\d\d/m)
    assert.equal(await ann.output('cancel-deletion', id), 'Doomed is kept.\n')
    assert.match((await ann.json('delete', id, '--yes')).delete_at, /^\d{4}-/)
    const own = await ann.run('delete', ann.address.split('@')[0]!, '--yes')
    assert.match(own.stderr, /carrel account delete/)
  })

  test('reports what it does not understand', async () => {
    for (let count = 0; count < 2; count++) await ann.output('create', 'Twice')
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
