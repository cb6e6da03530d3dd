/**
 * Passes on what a client that only looks may send to a VNC server, and leaves out what would act: keys, the pointer, the
 * clipboard and the size of the screen. Reads the client's side of RFB 3.7 and 3.8 (RFC 6143, and the extensions that Xvnc
 * has) as it arrives, in pieces of any size. Only whole messages of a known length are passed on, so that the server reads
 * what was read here.
 */
export class ViewOnlyFilter {
  #pending: Buffer = Buffer.alloc(0)
  /** How much more is left out. */
  #skipBytes = 0
  #handshake = [...handshake]

  /** Returns what is passed on. Throws for what no client that only looks sends. */
  take(bytes: Buffer): Buffer {
    if (bytes.length > maxBytes) throw new Error('the client sent too much at once')
    const passed: Buffer[] = []
    this.#pending = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes
    for (let more = true; more;) {
      const skipped = Math.min(this.#skipBytes, this.#pending.length)
      this.#skipBytes -= skipped
      this.#pending = this.#pending.subarray(skipped)
      more = this.#pending.length > 0 && this.#next(passed)
    }
    return Buffer.concat(passed)
  }

  /** Takes one message, if it is complete. A message that is left out needs only its beginning. */
  #next(passed: Buffer[]): boolean {
    const pending = this.#pending
    const [step] = this.#handshake
    const message = step ? step(pending) : messageOf(pending)
    if (!message || (message.pass && pending.length < message.bytes)) return false
    if (step) this.#handshake.shift()
    if (message.pass) {
      passed.push(message.pass(pending.subarray(0, message.bytes)))
      this.#pending = pending.subarray(message.bytes)
    } else this.#skipBytes = message.bytes
    return true
  }
}

interface Message {
  bytes: number
  /** Returns what is passed on in its place; undefined for a message that is left out. */
  pass?: (message: Buffer) => Buffer
}

type Reader = (start: Buffer) => Message | undefined

const same = (message: Buffer) => message

/** The version, the kind of security, and whether others may look at the same time: they always may. */
const handshake: Reader[] = [
  () => ({ bytes: 12, pass: expect((message) => /^RFB 003\.00[78]\n$/.test(message.toString('latin1'))) }),
  () => ({ bytes: 1, pass: expect((message) => message[0] === noSecurity) }),
  () => ({ bytes: 1, pass: () => Buffer.of(1) }),
]
const noSecurity = 1

function expect(isExpected: (message: Buffer) => boolean): (message: Buffer) => Buffer {
  return (message) => {
    if (!isExpected(message)) throw new Error('the client does not begin as RFB does')
    return message
  }
}

/** Returns the message that begins with some bytes; undefined while they do not say how long it is. */
function messageOf(start: Buffer): Message | undefined {
  const reader = readers[start[0]!]
  if (!reader) throw new Error(`the client sent a message of the unknown type ${start[0]}`)
  return reader(start)
}

/** By the type of a message, its first byte. */
const readers: Record<number, Reader | undefined> = {
  // SetPixelFormat
  0: () => ({ bytes: 20, pass: same }),
  // SetEncodings
  2: (start) => (start.length < 4 ? undefined : { bytes: 4 + 4 * encodingsOf(start), pass: withoutButtons }),
  // FramebufferUpdateRequest
  3: () => ({ bytes: 10, pass: same }),
  // KeyEvent
  4: () => ({ bytes: 8 }),
  // PointerEvent
  5: () => ({ bytes: 6 }),
  // ClientCutText, whose length is negative in the extended form
  6: (start) => (start.length < 8 ? undefined : { bytes: 8 + Math.abs(start.readInt32BE(4)) }),
  // EnableContinuousUpdates
  150: () => ({ bytes: 10, pass: same }),
  // ClientFence
  248: (start) => (start.length < 9 ? undefined : { bytes: 9 + fenceBytes(start), pass: same }),
  // xvp: the power of the machine
  250: () => ({ bytes: 4 }),
  // SetDesktopSize
  251: (start) => (start.length < 7 ? undefined : { bytes: 8 + 16 * start[6]! }),
  // QEMU's extended KeyEvent
  255: (start) => (start.length < 2 ? undefined : { bytes: qemuBytes(start) }),
}

function encodingsOf(start: Buffer): number {
  const count = start.readUInt16BE(2)
  if (count > maxEncodings) throw new Error('the client names too many encodings')
  return count
}

/** Leaves out the encoding with which messages of the pointer become longer. */
function withoutButtons(message: Buffer): Buffer {
  const kept: Buffer[] = []
  for (let at = 4; at < message.length; at += 4)
    if (message.readInt32BE(at) !== extendedMouseButtons) kept.push(message.subarray(at, at + 4))
  if (4 + 4 * kept.length === message.length) return message
  const head = Buffer.from(message.subarray(0, 4))
  head.writeUInt16BE(kept.length, 2)
  return Buffer.concat([head, ...kept])
}

function fenceBytes(start: Buffer): number {
  if (start[8]! > maxFenceBytes) throw new Error('the client sent a fence that is too long')
  return start[8]!
}

function qemuBytes(start: Buffer): number {
  if (start[1] !== 0) throw new Error(`the client sent a message of the unknown type 255/${start[1]}`)
  return 12
}

const extendedMouseButtons = -316
/**
 * What is read in one go, as nothing else is done meanwhile: as much as a connection delivers. A client that only looks
 * has little to say.
 */
const maxBytes = 64 * 1024
/** More than clients have. */
const maxEncodings = 256
/** As RFB's extension says. */
const maxFenceBytes = 64
