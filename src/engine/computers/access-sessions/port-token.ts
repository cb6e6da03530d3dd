import { createHmac, timingSafeEqual } from 'node:crypto'
import { accessTokenPrefix } from './access-session.ts'

/** A session and a port, as the token of a port names them; the port is known by where the token is used. */
export interface PortToken {
  sessionId: string
  proof: string
}

/**
 * Returns a token that opens one private port while a session lasts, and nothing else. What listens on a port is the
 * guest's, whose service worker in the visitor's browser reads the addresses of its origin, tokens included.
 *
 * @param hash of the session's own token, which nobody outside of the database knows
 */
export function portToken({ id, hash }: { id: string; hash: string }, port: number): string {
  return `${prefix}${id}_${proofOf(hash, port)}`
}

/** Returns what the token of a port says; undefined for any other credential. */
export function parsePortToken(credential: string): PortToken | undefined {
  const [, sessionId, proof] = pattern.exec(credential) ?? []
  return sessionId === undefined || proof === undefined ? undefined : { sessionId, proof }
}

/** Returns whether a proof is that of a session for a port. */
export function provesPort(proof: string, hash: string, port: number): boolean {
  const [given, expected] = [Buffer.from(proof), Buffer.from(proofOf(hash, port))]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function proofOf(hash: string, port: number): string {
  return createHmac('sha256', hash).update(`port ${port}`).digest('base64url')
}

const prefix = `${accessTokenPrefix}port_`
const pattern = new RegExp(`^${prefix}([0-9a-z]{20})_([\\w-]{43})$`)
