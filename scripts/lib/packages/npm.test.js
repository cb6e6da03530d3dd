import assert from 'node:assert/strict'
import { test } from 'node:test'
import { npmReason } from './npm.js'

test('npmReason() joins the code and the first message, for old and new versions of npm', () => {
  const lines = ['code ENOTFOUND', 'syscall getaddrinfo', 'errno ENOTFOUND', 'network is unreachable', 'more']
  for (const mark of ['npm error', 'npm ERR!']) {
    const output = lines.map((line) => `${mark} ${line}`).join('\n')
    assert.equal(npmReason(output), 'code ENOTFOUND, network is unreachable')
  }
})

test('npmReason() falls back to the last line', () => {
  assert.equal(npmReason('first\nspawn npm ENOENT\n'), 'spawn npm ENOENT')
  assert.equal(npmReason(''), 'npm gave no reason')
})
