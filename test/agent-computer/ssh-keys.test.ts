import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestApp } from '../support/test-app.ts'

describe('SSH keys', { timeout: 60_000 }, () => {
  let server: TestApp
  let token: string
  const directory = mkdtempSync(join(tmpdir(), 'carrel-ssh-keys-'))
  before(async () => {
    server = await TestApp.start()
    token = await server.newAccount('keys')
  })
  after(async () => {
    await server.stop()
    rmSync(directory, { recursive: true })
  })

  const call = (method: string, path = '', body?: unknown, as = token) =>
    server.call(method, `/v1/ssh-keys${path}`, body, { token: as })
  let made = 0
  /** Makes a key by OpenSSH; returns the line of its .pub file and its fingerprint. */
  const newKey = (...options: string[]) => {
    const file = join(directory, `key${made++}`)
    execFileSync('ssh-keygen', ['-q', '-N', '', '-C', 'me@laptop', '-f', file, ...options])
    const [, fingerprint] = execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ')
    return { file, line: readFileSync(`${file}.pub`, 'utf8'), fingerprint }
  }

  for (const options of [
    ['-t', 'ed25519'],
    ['-t', 'rsa', '-b', '2048'],
    ['-t', 'ecdsa', '-b', '256'],
    ['-t', 'ecdsa', '-b', '521'],
  ])
    test(`a key of ${options.join(' ')} is registered with the fingerprint that OpenSSH shows, and deleted`, async () => {
      const { line, fingerprint } = newKey(...options)
      const { status, body } = await call('POST', '', { public_key: line })
      assert.equal(status, 201, JSON.stringify(body))
      const key = body.ssh_key
      assert.deepEqual(
        [key.fingerprint, key.name, key.last_used_at, key.revoked_at],
        [fingerprint, 'me@laptop', null, null],
      )
      assert.equal(key.public_key, line.split(' ').slice(0, 2).join(' '))
      assert.deepEqual((await call('GET')).body.ssh_keys[0], key)
      assert.equal((await call('DELETE', `/${key.id}`)).status, 204)
      assert.deepEqual((await call('GET')).body.ssh_keys, [])
      assert.equal((await call('DELETE', `/${key.id}`)).status, 404)
    })

  test('a key registered twice is a conflict in its workspace alone, whatever its comment', async () => {
    const { line } = newKey('-t', 'ed25519')
    assert.equal((await call('POST', '', { public_key: line, name: 'first' })).status, 201)
    const again = await call('POST', '', { public_key: line.replace('me@', 'you@') })
    assert.deepEqual([again.status, again.body.error.code], [409, 'already_exists'])
    assert.match(again.body.error.message, /as "first"/)
    assert.equal((await call('POST', '', { public_key: line }, server.token)).status, 201)
  })

  test('a text that is not a key is refused with the reason, and nothing is made', async () => {
    const earlier = (await call('GET')).body.ssh_keys.length
    const { file, line } = newKey('-t', 'ed25519')
    const [type, base64 = ''] = line.split(' ')
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const { n, e } = publicKey.export({ format: 'jwk' }) as { n: string; e: string }
    const fields = [
      Buffer.from('ssh-rsa'),
      Buffer.from(e, 'base64url'),
      Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]),
    ]
    const small = Buffer.concat(fields.flatMap((field) => [Buffer.from([0, 0, 0, field.length]), field]))
    for (const [text, reason] of [
      ['hello', 'type of key'],
      ['ssh-ed25519', 'type of key'],
      ['ssh-dss AAAAB3NzaC1kc3M=', 'type of key'],
      [`${type} ${base64.slice(0, -8)}`, 'damaged'],
      [`ssh-rsa ${base64}`, 'damaged'],
      [`command="id" ${line}`, 'type of key'],
      [`${line}${line}`, 'several lines'],
      [readFileSync(file, 'utf8'), 'private key'],
      [`ssh-rsa ${small.toString('base64')}`, '1024 bits'],
      ['ssh-ed25519-cert-v01@openssh.com AAAA', 'certificate'],
      [`ssh-ed25519 ${'A'.repeat(12_000)}`, '10000'],
    ] as const) {
      const { status, body } = await call('POST', '', { public_key: text })
      assert.deepEqual([status, body.error.code], [400, 'invalid_request'], text)
      assert.match(body.error.message, new RegExp(reason))
    }
    assert.equal((await call('GET')).body.ssh_keys.length, earlier)
  })

  test('a workspace has a bounded number of keys', async () => {
    const own = await server.newAccount('many keys')
    const line = (index: number) => {
      const bytes = Buffer.alloc(32)
      bytes.writeUInt32BE(index)
      const type = Buffer.from('ssh-ed25519')
      return `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), type, Buffer.from([0, 0, 0, 32]), bytes]).toString('base64')}`
    }
    const answers = await Promise.all(
      Array.from({ length: 101 }, (_, index) => call('POST', '', { public_key: line(index) }, own)),
    )
    const refused = answers.filter(({ status }) => status !== 201)
    assert.deepEqual(
      refused.map(({ status, body }) => [status, body.error.code]),
      [[429, 'limit_reached']],
    )
  })
})
