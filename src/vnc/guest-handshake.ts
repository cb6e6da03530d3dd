import type { Duplex } from 'node:stream'
import { CarrelError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { security, version } from './rfb.ts'

/** What a client that needs no password sends first. */
export const guestGreeting = Buffer.concat([Buffer.from(version), Buffer.of(security.none)])

/**
 * Speaks RFB 3.8 with the server in a computer, as a client without a password does, until it waits for the client's
 * first message. Throws `unavailable` for a server that speaks anything else: it is the guest's.
 */
export async function guestHandshake(connection: Duplex): Promise<void> {
  const reader = new ByteReader(connection)
  try {
    if ((await reader.take(version.length)).toString('latin1') !== version) throw new Error('another version')
    connection.write(version)
    const kinds = await reader.take(await reader.uint8())
    if (!kinds.includes(security.none)) throw new Error('no kind of security without a password')
    connection.write(Buffer.of(security.none))
    if ((await reader.uint32()) !== 0) throw new Error('refused')
  } catch (cause) {
    throw new CarrelError('unavailable', 'Cannot open the desktop: its VNC server does not answer as expected', {
      cause,
    })
  }
}
