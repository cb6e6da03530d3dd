import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageNameOf, requireReference } from './oci-reference.ts'

test('imageNameOf() is the last part of the reference, with its tag unless that is latest', () => {
  const names = {
    'docker://registry.test/library/python:3.12': 'python-3.12',
    'docker://registry.test:5000/team/Tool_Box:latest': 'tool-box',
    [`docker://registry.test/tool@sha256:${'a'.repeat(64)}`]: 'tool',
    'oci:/srv/images/tiny:v1': 'tiny-v1',
    'docker-archive:/srv/tool.tar': 'tool',
    'oci-archive:/srv/..': 'imported',
  }
  for (const [reference, name] of Object.entries(names)) assert.equal(imageNameOf(reference), name, reference)
})

test('requireReference() requires a transport and shows how to write one', () => {
  assert.throws(() => requireReference('python:3.12'), { code: 'invalid_request', message: /docker:\/\/python:3\.12/ })
  for (const reference of [
    '',
    '--help',
    'docker://',
    'docker://a b',
    'docker://a\n',
    `docker://${'a'.repeat(2_000)}`,
  ]) {
    assert.throws(() => requireReference(reference), { code: 'invalid_request' }, reference)
  }
  requireReference('docker://registry.test/python:3.12')
})
