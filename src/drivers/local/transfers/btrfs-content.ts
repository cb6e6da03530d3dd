import { damaged } from '../../snapshot-stream/damaged.ts'

/**
 * Passes on the output of `btrfs send` while it is one whole subvolume of version 1: that version has no command that
 * occupies more of the disk than it takes in the stream. A second subvolume, or one that is based on another, is refused
 * with `invalid_request`.
 */
export async function* checkedBtrfs(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const walk = new CommandWalk()
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) at += walk.take(chunk.subarray(at))
    yield chunk
  }
  if (!walk.isEnded) throw damaged('its btrfs stream has no end')
}

class CommandWalk {
  isEnded = false
  #head = Buffer.alloc(0)
  #headBytes = streamHeadBytes
  /** Bytes of the current command that are still to come. */
  #left = 0
  #commands = -1

  /** Returns how many bytes it has taken. */
  take(bytes: Buffer): number {
    if (this.isEnded) throw damaged('its btrfs stream goes on after its end')
    if (this.#left > 0) {
      const taken = Math.min(this.#left, bytes.length)
      this.#left -= taken
      return taken
    }
    const taken = Math.min(this.#headBytes - this.#head.length, bytes.length)
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, taken)])
    if (this.#head.length === this.#headBytes) this.#begin(this.#head)
    return taken
  }

  #begin(head: Buffer): void {
    this.#head = Buffer.alloc(0)
    if (this.#commands++ < 0) return this.#beginStream(head)
    const [length, command] = [head.readUInt32LE(0), head.readUInt16LE(4)]
    const isFirst = this.#commands === 1
    if (isFirst !== (command === SUBVOL)) throw damaged('its btrfs stream is not one subvolume')
    if (command === SNAPSHOT || command < 1 || command > lastCommand || length > maxCommandBytes)
      throw damaged(`its btrfs stream has command ${command} of ${length} bytes`)
    this.#left = length
    this.isEnded = command === END
  }

  #beginStream(head: Buffer): void {
    this.#headBytes = commandHeadBytes
    if (!head.subarray(0, mark.length).equals(mark)) throw damaged('its btrfs stream has no mark')
    const version = head.readUInt32LE(mark.length)
    if (version !== 1) throw damaged(`its btrfs stream is of version ${version}`)
  }
}

const mark = Buffer.from('btrfs-stream\0')
const streamHeadBytes = mark.length + 4
/** Length (32 bits), command (16 bits) and checksum (32 bits). */
const commandHeadBytes = 10
const SUBVOL = 1
const SNAPSHOT = 2
const END = 21
/** The last command of version 1. */
const lastCommand = 22
/** A write has 48 KiB; an attribute has up to 64 KiB. */
const maxCommandBytes = 256 * 1024
