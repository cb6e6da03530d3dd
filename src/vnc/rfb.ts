import { uint32, field } from '../engine/computers/ssh/wire.ts'

/** The version that is spoken here; RFC 6143, section 7.1.1. */
export const version = 'RFB 003.008\n'

/** Kinds of security, and those that VeNCrypt has inside. */
export const security = { none: 1, veNCrypt: 19, plain: 256, x509Plain: 262 } as const

/** Returns what tells a client that it may go on. */
export function accepted(): Buffer {
  return uint32(0)
}

/** Returns what tells a client why it may not go on, after the kind of security is agreed on. */
export function refused(reason: string): Buffer {
  return Buffer.concat([uint32(1), field(reason)])
}

/** Returns what tells a client why it may not go on, in place of the kinds of security. */
export function refusedAtOnce(reason: string): Buffer {
  return Buffer.concat([Buffer.of(0), field(reason)])
}
