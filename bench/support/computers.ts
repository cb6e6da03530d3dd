import { setTimeout as delay } from 'node:timers/promises'
import type { BenchServer } from './server.ts'

/** Creates a computer that lasts, with further fields of the request, and returns its path once it runs. */
export async function createComputer(server: BenchServer, more: object = {}): Promise<string> {
  const handle = server.newSession()
  await post(server, '/v1/computers', { handle, size_preset: 'ram-2g', ...more })
  const path = `/v1/computers/${handle}`
  await reach(server, path, 'running')
  return path
}

/** Sends a request, and returns the parsed response. Throws unless it succeeded. */
export async function post(server: BenchServer, path: string, body: object): Promise<Record<string, unknown>> {
  const { status, text } = await server.request('POST', path, body)
  if (status >= 300) throw new Error(`${path} answered ${status}: ${text.slice(0, 500)}`)
  return JSON.parse(text)
}

/** Waits until a computer is in a state. Throws when its operation failed. */
export async function reach(server: BenchServer, path: string, wanted: string): Promise<void> {
  for (;;) {
    const { status, text } = await server.request('GET', path)
    if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`)
    const { state, failure_reason: reason } = JSON.parse(text).computer
    if (state === wanted) return
    if (state === 'failed') throw new Error(`${path} has failed: ${reason}`)
    await delay(pollMs)
  }
}

/** Deletes a computer, and waits until it is gone. */
export async function deleteComputer(server: BenchServer, path: string): Promise<void> {
  await server.request('DELETE', path)
  while ((await server.request('GET', path)).status !== 404) await delay(pollMs)
}

/** Little for what is measured, and enough that asking does not keep the server busy. */
const pollMs = 2
