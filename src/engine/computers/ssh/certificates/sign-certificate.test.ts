import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ed25519Key } from '../ed25519.ts'
import { fingerprintOf, parsePublicKey } from '../keys/public-key.ts'
import { signCertificate } from './sign-certificate.ts'

const nowS = Math.floor(Date.now() / 1000)

for (const options of [
  ['-t', 'ed25519'],
  ['-t', 'rsa', '-b', '2048'],
  ['-t', 'ecdsa', '-b', '384'],
])
  test(`OpenSSH reads a certificate of a key of ${options.join(' ')}, and verifies it`, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'carrel-certificate-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'key')
    execFileSync('ssh-keygen', ['-q', '-N', '', '-f', file, ...options])
    const key = parsePublicKey(readFileSync(`${file}.pub`, 'utf8'))
    const authority = Ed25519Key.generate()
    const contents = { key, id: 'the-id', principals: ['one', 'two'], validFromS: nowS - 60, validToS: nowS + 900 }
    writeFileSync(`${file}-cert.pub`, signCertificate(authority, contents))
    const shown = execFileSync('ssh-keygen', ['-Lf', `${file}-cert.pub`], { encoding: 'utf8' })
    assert.match(shown, /user certificate/)
    assert.match(shown, /Key ID: "the-id"/)
    assert.match(shown, /Principals: \n\s+one\n\s+two\n/)
    assert.ok(shown.includes(`Public key: `) && shown.includes(fingerprintOf(key)))
    assert.ok(shown.includes(`Signing CA: ED25519 ${fingerprintOf(authority)}`))
  })

test('OpenSSH reads a private key that was made here, whose text stays the same', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-key-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const key = new Ed25519Key(Buffer.alloc(32, 7))
  assert.equal(key.toOpenSsh(), new Ed25519Key(Buffer.alloc(32, 7)).toOpenSsh())
  const file = join(directory, 'key')
  writeFileSync(file, key.toOpenSsh(), { mode: 0o600 })
  const derived = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' })
  assert.equal(derived.trim(), key.line)
})
