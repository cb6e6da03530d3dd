import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAddresses } from './with-addresses.ts'

const origin = 'https://carrel.example.com'
const settings = { previewDomain: 'previews.example.com', port: 4280, publicUrl: origin }
const preview = '8080-b76y3s53y3m9mk31qr4a-p8080_v1'

for (const [recorded, shown] of [
  ['http://localhost:4280/docs', 'https://carrel.example.com/docs'],
  ['ws://localhost:4280/ws?ticket=x', 'wss://carrel.example.com/ws?ticket=x'],
  [`http://${preview}.localhost:4280`, `https://${preview}.previews.example.com`],
  [`ws://${preview}.localhost:4280`, `wss://${preview}.previews.example.com`],
  ['http://localhost:8080', 'http://localhost:8080'],
] as const)
  test(`${recorded} in a recorded answer becomes ${shown}`, () => {
    assert.deepEqual(withAddresses({ urls: [recorded] }, origin, settings), { urls: [shown] })
  })
