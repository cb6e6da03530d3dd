/**
 * The server, which appends a line to the file of CARREL_TEST_TURNS for each long turn of its event loop:
 * the time at which it ended, and the processor time of the main thread in milliseconds.
 */
import { appendFileSync } from 'node:fs'

const shortMs = 20

let before = process.threadCpuUsage()
setInterval(() => {
  const now = process.threadCpuUsage()
  const tookMs = (now.user + now.system - before.user - before.system) / 1000
  if (tookMs > shortMs) appendFileSync(process.env.CARREL_TEST_TURNS!, `${Date.now()} ${tookMs}\n`)
  before = now
}, 1).unref()

await import('../../src/main.ts')
