import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { testDataDirectory, until } from '../support/server.ts'
import type { TestClient } from '../support/test-client.ts'

let people = 0

/** Returns an address that nobody has used. */
export function newAddress(): string {
  return `person-${Date.now()}-${people++}@example.com`
}

/** Where messages are without an SMTP server. */
export function outbox(): string {
  return join(testDataDirectory, 'outbox')
}

/** Returns the messages to an address in the outbox, the oldest first; the first message creates the folder. */
export function messagesTo(address: string): string[] {
  if (!existsSync(outbox())) return []
  return readdirSync(outbox(), { encoding: 'utf8' })
    .toSorted()
    .map((name) => readUnlessGone(join(outbox(), name)))
    .filter((text) => text.startsWith(`To: ${address}\n`))
}

export function linkIn(message: string): string {
  return /https?:\S+/.exec(message)![0]
}

/** Asks for a link, and takes it from the outbox. */
export async function askForLink(
  server: TestClient,
  address: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const before = messagesTo(address).length
  await server.post('/login', { email: address }, { token: null, headers })
  await until(
    () => messagesTo(address).length,
    (count) => count > before,
  )
  return linkIn(messagesTo(address).at(-1)!)
}

/** Signs a user in by mail. Returns the token. */
export async function signInByMail(server: TestClient, address = newAddress()): Promise<string> {
  const link = new URL(await askForLink(server, address))
  const { body } = await server.post(link.pathname, { token: link.searchParams.get('token') }, { token: null })
  return body.token
}

/** The server deletes the oldest messages. */
function readUnlessGone(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
