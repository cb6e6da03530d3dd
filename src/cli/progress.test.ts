import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressLine } from './progress.ts'

const MiB = 1024 * 1024

test('a progress line has share, bytes, rate and time left', () => {
  const line = progressLine(10 * MiB, 40 * MiB, 2000)
  assert.equal(line, `${'━'.repeat(6)}${'─'.repeat(18)} 25%  10.0 MiB of 40.0 MiB  5.0 MiB/s  6 s left`)
  assert.match(progressLine(MiB, 1000 * MiB, 1000), /16:39 min left$/)
  assert.match(progressLine(MiB, 10_000 * MiB, 1000), /2:46 h left$/)
  assert.match(progressLine(40 * MiB, 40 * MiB, 2000), /100% {2}40\.0 MiB of 40\.0 MiB {2}20\.0 MiB\/s$/)
})

test('a progress line on a narrow terminal has a shorter bar and fewer words', () => {
  const narrow = (width: number) => progressLine(10 * MiB, 40 * MiB, 2000, width)
  assert.equal(narrow(60), `${'━'.repeat(3)}${'─'.repeat(10)} 25%  10.0 MiB of 40.0 MiB  5.0 MiB/s  6 s left`)
  assert.equal(narrow(39), `${'━'.repeat(3)}${'─'.repeat(10)} 25%  10.0 MiB of 40.0 MiB`)
  assert.equal(narrow(20), `${'━'.repeat(4)}${'─'.repeat(12)} 25%`)
  for (let width = 14; width < 120; width++) assert.ok(narrow(width).length <= width)
})

test('a progress line without a total has bytes and rate alone', () => {
  assert.equal(progressLine(1500, undefined, 1000), '1.5 KiB  1.5 KiB/s')
})
