/**
 * The server, which appends to the file of CARREL_TEST_TURNS what each turn of its event loop took that was not short:
 * the time of day when it was over, and the processor time of the main thread in milliseconds.
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
