import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ComputerRecord } from '../computers/computer-store.ts'
import { isDiskFull } from './is-disk-full.ts'

const MiB = 1024 * 1024

interface Options {
  usedBytes: number | undefined
  shareBytes?: number
  isRemoved?: boolean
}

/** A computer with a disk of 1000 MiB, unless it is removed. */
function computer({ usedBytes, shareBytes, isRemoved = false }: Options) {
  const record = { limits: { diskBytes: 1000 * MiB } } as ComputerRecord
  return {
    store: { get: () => (isRemoved ? undefined : record) },
    volumes: { used: async () => usedBytes },
    diskShares: { limitOf: () => shareBytes },
  }
}

test('a disk is full when less than a hundredth of it is free', async () => {
  assert.equal(await isDiskFull(computer({ usedBytes: 980 * MiB }), 'x'), false)
  assert.equal(await isDiskFull(computer({ usedBytes: 991 * MiB }), 'x'), true)
})

test('the limit in force counts while the host has little space', async () => {
  assert.equal(await isDiskFull(computer({ usedBytes: 100 * MiB, shareBytes: 103 * MiB }), 'x'), true)
  assert.equal(await isDiskFull(computer({ usedBytes: 100 * MiB, shareBytes: 105 * MiB }), 'x'), false)
})

test('a computer that is removed, or whose use is not counted, has no full disk', async () => {
  assert.equal(await isDiskFull(computer({ usedBytes: 999 * MiB, isRemoved: true }), 'x'), false)
  assert.equal(await isDiskFull(computer({ usedBytes: undefined }), 'x'), false)
})
