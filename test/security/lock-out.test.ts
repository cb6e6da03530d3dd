import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { linkIn, messagesTo, newAddress } from '../identity/outbox.ts'
import { TestServer, until } from '../support/server.ts'
import { withDatabase } from '../support/with-database.ts'

/** Returns an address of a network by name, unused by earlier runs, in a /48 of its own. */
const network = (name: string) => `2a02:${run}:${networkNumber(name).toString(16)}:1::1`
const run = Math.floor(Math.random() * 0x1_00_00).toString(16)
const names: string[] = []
function networkNumber(name: string): number {
  if (!names.includes(name)) names.push(name)
  return names.indexOf(name)
}

describe('no client can keep another user from signing in by mail', { timeout: 300_000 }, () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start({
      env: { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_TRUSTED_PROXIES: 'loopback', CARREL_MAILS_PER_NETWORK: '8' },
    })
  })
  after(() => server.stop())

  /** Requests a link, and waits until the outcome is written. */
  const ask = async (email: string, from: string) => {
    const rows = () =>
      withDatabase((db) => db.selectFrom('magic_links').select(['sent']).where('email', '=', email).execute())
    const before = (await rows()).length
    const { status } = await server.post('/login', { email }, { token: null, headers: { 'x-forwarded-for': from } })
    assert.equal(status, 200)
    await until(rows, (found) => found.length > before)
    const sent = (await rows()).filter((row) => row.sent === 1).length
    await until(
      () => messagesTo(email).length,
      (count) => count >= sent,
    )
  }
  const links = (address: string) =>
    messagesTo(address)
      .filter((message) => message.includes('/login/callback?'))
      .map(linkIn)
  const redeem = (link: string, from = network('redeemer')) => {
    const headers = { 'x-forwarded-for': from }
    return server.post('/login/callback', { token: new URL(link).searchParams.get('token') }, { token: null, headers })
  }
  const signIn = async (address: string): Promise<string> => {
    await ask(address, network(address))
    return (await redeem(links(address).at(-1)!, network(address))).body.token
  }
  /** Makes the links of an address older by `passedMs`. */
  const letPass = (email: string, passedMs: number) =>
    withDatabase((db) =>
      db
        .updateTable('magic_links')
        .set((eb) => ({
          created_at: eb('created_at', '-', passedMs),
          expires_at: eb('expires_at', '-', passedMs),
        }))
        .where('email', '=', email)
        .execute(),
    )

  test('invitations use up none of the sign-in links', async () => {
    const victim = newAddress()
    for (let nth = 0; nth < limits.invitationsPerMailboxDay; nth++) {
      const token = await signIn(newAddress())
      const { body } = await server.post('/v1/workspaces', { name: 'Trap' }, { token })
      const path = `/v1/workspaces/${body.workspace_id}/invitations`
      assert.equal((await server.post(path, { email: victim }, { token })).status, 200)
    }
    assert.match(await signIn(victim), /^pp_sess_/)
  })

  test('an anonymous client who requests links uses up only those of their own network', async () => {
    const victim = newAddress()
    await signIn(victim)
    for (let nth = 0; nth < limits.magicLinksPerNetwork + 5; nth++) await ask(victim, network('stranger'))
    // The earlier link was used.
    const before = links(victim).length
    assert.equal(before, 1 + limits.magicLinksPerNetwork)
    await ask(victim, network('own'))
    assert.equal(links(victim).length, before + 1)
    assert.equal((await redeem(links(victim).at(-1)!)).status, 200)
  })

  test('anonymous clients of many networks cannot flood a mailbox, and a user who gets no more links has valid ones', async () => {
    const victim = newAddress()
    for (let nth = 0; nth < limits.magicLinksPerAddress + 5; nth++) await ask(victim, network(`many-${nth}`))
    assert.equal(links(victim).length, limits.magicLinksPerAddress)
    for (const link of links(victim).slice(-3)) {
      const { status, body } = await redeem(link)
      assert.equal(status, 200)
      const { body: user } = await server.call('GET', '/users/me', undefined, { token: body.token })
      assert.equal(user.email, victim)
    }
    // Three were used, so three more are sent.
    for (let nth = 0; nth < 5; nth++) await ask(victim, network('other'))
    assert.equal(links(victim).length, limits.magicLinksPerAddress + 3)
  })

  test('after many links in a day there is one at a time, but always one', async () => {
    const victim = newAddress()
    await signIn(victim)
    for (let nth = 0; nth < limits.magicLinksPerDay; nth++) {
      if (nth % limits.magicLinksPerAddress === 0) await letPass(victim, limits.freshLinkMs)
      await ask(victim, network(`many-${nth}`))
    }
    const many = links(victim).length
    assert.equal(many, limits.magicLinksPerDay + 1)
    await letPass(victim, limits.freshLinkMs)
    for (const from of [network('third'), network('own'), network('other')]) await ask(victim, from)
    assert.equal(links(victim).length, many + 1, 'one, because earlier links are valid for a few minutes only')
    assert.equal((await redeem(links(victim).at(-1)!)).status, 200)
    await ask(victim, network('own'))
    assert.equal(links(victim).length, many + 2, 'it was used')
  })

  test('a network that writes to many unknown addresses can write to known ones only', async () => {
    const known = newAddress()
    await signIn(known)
    const from = network('cannon')
    const strangers = Array.from({ length: 12 }, newAddress)
    for (const address of strangers) await ask(address, from)
    assert.equal(strangers.filter((address) => messagesTo(address).length > 0).length, 8)
    const before = links(known).length
    await ask(known, from)
    assert.equal(links(known).length, before + 1)
  })

  test('the many networks of one /48 are limited in the same way', async () => {
    const strangers = Array.from({ length: 8 * limits.sitePrefixFactor + 3 }, newAddress)
    const cannon = network('wide cannon')
    for (const [nth, address] of strangers.entries())
      await ask(address, cannon.replace(':1::', `:${nth.toString(16)}::`))
    assert.equal(strangers.filter((address) => messagesTo(address).length > 0).length, 8 * limits.sitePrefixFactor)
    const newcomer = newAddress()
    await ask(newcomer, network('elsewhere'))
    assert.equal(links(newcomer).length, 1)
  })

  test('other spellings of a mailbox, requested by others, keep no new user from signing up', async () => {
    const [name] = newAddress().split('@')
    const spelling = (nth: number) => `${name}+x${nth}@example.com`
    for (let nth = 0; nth < limits.magicLinksPerMailbox + 2; nth++) await ask(spelling(nth), network('speller'))
    const got = Array.from({ length: limits.magicLinksPerMailbox + 2 }, (_, nth) => links(spelling(nth)).length)
    // In this test a network may write to eight unknown addresses.
    assert.equal(got.filter((count) => count > 0).length, 8)
    for (let nth = 0; nth < limits.magicLinksPerMailbox + 5; nth++)
      await ask(spelling(100 + nth), network(`many ${nth}`))
    for (const address of [`${name}@example.com`, `${name}+carrel@example.com`]) {
      await ask(address, network(`own ${address}`))
      assert.equal(links(address).length, 1, address)
      assert.equal((await redeem(links(address).at(-1)!)).status, 200)
    }
  })
})

test('a network can request a limited number of spellings of an unused mailbox', { timeout: 300_000 }, async () => {
  const server = await TestServer.start({
    env: { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_TRUSTED_PROXIES: 'loopback' },
  })
  try {
    const [name] = newAddress().split('@')
    const sentOf = async (email: string, from: string): Promise<number> => {
      await server.post('/login', { email }, { token: null, headers: { 'x-forwarded-for': from } })
      const rows = () =>
        withDatabase((db) => db.selectFrom('magic_links').select('sent').where('email', '=', email).execute())
      return (await until(rows, (found) => found.length > 0))[0]!.sent
    }
    let sent = 0
    for (let nth = 0; nth < limits.magicLinksPerMailbox + 5; nth++)
      sent += await sentOf(`${name}+${nth}@example.com`, network('flood'))
    assert.equal(sent, limits.magicLinksPerMailbox)
    for (let nth = 0; sent < limits.taggedLinksPerMailbox; nth++) {
      assert.equal(await sentOf(`${name}+more${nth}@example.com`, network(`flood ${nth}`)), 1)
      sent++
    }
    assert.equal(await sentOf(`${name}+last@example.com`, network('last')), 0, 'of those with a tag')
    assert.equal(await sentOf(`${name}@example.com`, network('own')), 1)
  } finally {
    await server.stop()
  }
})
