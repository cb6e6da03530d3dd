import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { makeCertificate } from './make-certificate.ts'

test('a certificate that signs itself is valid now and in twenty years, and comes with its key', () => {
  const pem = makeCertificate('example')
  const certificate = new X509Certificate(pem)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(pem)))
  assert.equal(certificate.subject, 'CN=example')
  assert.ok(certificate.validFromDate.getTime() <= Date.now())
  assert.ok(certificate.validToDate.getTime() > Date.now() + 20 * 365 * 24 * 60 * 60 * 1000)
})
