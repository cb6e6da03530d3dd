import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readProof } from './read-proof.ts'

const fingerprint = `SHA256:${'a'.repeat(43)}`
const accepted = 'Accepted publickey for node from UNKNOWN port 65535 ssh2:'

for (const [line, expected] of [
  [`${accepted} ED25519 ${fingerprint}`, { fingerprint, certificateId: undefined }],
  [
    `${accepted} ED25519-CERT ${fingerprint} ID abc123 (serial 0) CA ED25519 SHA256:${'b'.repeat(43)}\r`,
    { fingerprint, certificateId: 'abc123' },
  ],
  [`Failed publickey for node from UNKNOWN port 65535 ssh2: ED25519 ${fingerprint}`, undefined],
  ['Connection closed by UNKNOWN port 65535 [preauth]', undefined],
] as const)
  test(`${JSON.stringify(line.slice(0, 60))} says ${expected ? 'who has connected' : 'nothing'}`, () => {
    assert.deepEqual(readProof(line), expected)
  })
