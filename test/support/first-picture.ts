import type { Duplex } from 'node:stream'

export interface Picture {
  width: number
  height: number
  /** Four bytes for each pixel. */
  pixels: Buffer
}

/** Speaks RFB 3.8 (RFC 6143) as a viewer without a password does, and returns the first whole picture. */
export async function firstPicture(socket: Duplex): Promise<Picture> {
  let received = Buffer.alloc(0)
  // An iterator keeps what comes while nobody waits.
  const chunks = socket.iterator({ destroyOnReturn: false })
  const take = async (bytes: number) => {
    while (received.length < bytes) {
      const { done, value } = await chunks.next()
      if (done) throw new Error('The VNC server has closed the connection')
      received = Buffer.concat([received, value as Buffer])
    }
    const taken = received.subarray(0, bytes)
    received = received.subarray(bytes)
    return taken
  }
  const version = (await take(12)).toString('latin1')
  if (version !== 'RFB 003.008\n') throw new Error(`This is no VNC server: ${JSON.stringify(version)}`)
  socket.write(version)
  await take((await take(1))[0]!)
  socket.write(Buffer.from([withoutPassword]))
  await take(4)
  socket.write(Buffer.from([1]))
  const start = await take(24)
  const [width, height] = [start.readUInt16BE(0), start.readUInt16BE(2)]
  await take(start.readUInt32BE(20))
  socket.write(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]))
  socket.write(Buffer.from([3, 0, 0, 0, 0, 0, width >> 8, width & 255, height >> 8, height & 255]))
  const pixels = Buffer.alloc(width * height * 4)
  for (let left = width * height; left > 0;) {
    const update = await take(4)
    for (let rest = update.readUInt16BE(2); rest > 0; rest--) left -= await takeRectangle(take, { width, pixels })
  }
  return { width, height, pixels }
}

/** Returns the number of pixels of a rectangle in raw encoding. */
async function takeRectangle(
  take: (bytes: number) => Promise<Buffer>,
  { width, pixels }: Pick<Picture, 'width' | 'pixels'>,
): Promise<number> {
  const head = await take(12)
  const [x, y, columns, rows] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at)) as [number, number, number, number]
  const data = await take(columns * rows * 4)
  for (let row = 0; row < rows; row++)
    data.copy(pixels, ((y + row) * width + x) * 4, row * columns * 4, (row + 1) * columns * 4)
  return columns * rows
}

const withoutPassword = 1
