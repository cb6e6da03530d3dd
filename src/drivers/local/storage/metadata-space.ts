import { open, type FileHandle } from 'node:fs/promises'
import { callAsync } from '../system/libc.ts'

interface Range {
  start: number
  length: number
}

/**
 * Allocates disk space for the metadata of a btrfs file system in a sparse file. When data cannot be written, a program
 * gets an error; when metadata cannot be written, the file system turns read-only at its next commit.
 */
export class MetadataSpace {
  readonly #mountPoint: string
  readonly #imagePath: string

  constructor(mountPoint: string, imagePath: string) {
    this.#mountPoint = mountPoint
    this.#imagePath = imagePath
  }

  /**
   * Allocates blocks that are holes, as after a discard of freed blocks. Rejects with ENOSPC when there is no space.
   */
  async allocate(): Promise<void> {
    const directory = await open(this.#mountPoint)
    try {
      const ranges = await metadataRanges(directory.fd)
      const image = await open(this.#imagePath, 'r+')
      try {
        for (const range of ranges) await allocate(image, range)
      } finally {
        await image.close()
      }
    } finally {
      await directory.close()
    }
  }
}

async function allocate(file: FileHandle, { start, length }: Range): Promise<void> {
  await callAsync('fallocate', file.fd, FALLOC_FL_KEEP_SIZE, start, length)
}

/** Returns the ranges of metadata and system chunks in the file: the items of the chunk tree, from TREE_SEARCH. */
async function metadataRanges(fd: number): Promise<Range[]> {
  const args = Buffer.alloc(4096)
  const ranges: Range[] = []
  let offset = 0n
  for (;;) {
    args.fill(0)
    args.writeBigUInt64LE(CHUNK_TREE, 0)
    args.writeBigUInt64LE(FIRST_CHUNK_OBJECT, 8)
    args.writeBigUInt64LE(FIRST_CHUNK_OBJECT, 16)
    args.writeBigUInt64LE(offset, 24)
    args.writeBigUInt64LE(MAX_U64, 32)
    args.writeBigUInt64LE(0n, 40)
    args.writeBigUInt64LE(MAX_U64, 48)
    args.writeUInt32LE(CHUNK_ITEM, 56)
    args.writeUInt32LE(CHUNK_ITEM, 60)
    args.writeUInt32LE(100, 64)
    await callAsync('ioctl', fd, TREE_SEARCH, args)
    const count = args.readUInt32LE(64)
    if (count === 0) return ranges
    let at = searchKeyBytes
    for (let index = 0; index < count; index++) {
      offset = args.readBigUInt64LE(at + 16) + 1n
      const item = at + itemHeaderBytes
      const length = Number(args.readBigUInt64LE(item))
      const type = args.readBigUInt64LE(item + 24)
      const stripes = args.readUInt16LE(item + 44)
      if ((type & (METADATA | SYSTEM)) !== 0n)
        for (let stripe = 0; stripe < stripes; stripe++)
          ranges.push({ start: Number(args.readBigUInt64LE(item + 48 + stripe * 32 + 8)), length })
      at = item + args.readUInt32LE(at + 28)
    }
  }
}

const FALLOC_FL_KEEP_SIZE = 1
const TREE_SEARCH = 0xd000_9411
const CHUNK_TREE = 3n
const FIRST_CHUNK_OBJECT = 256n
const CHUNK_ITEM = 228
const SYSTEM = 2n
const METADATA = 4n
const MAX_U64 = 0xffff_ffff_ffff_ffffn
/** Sizes of `btrfs_ioctl_search_key` and `btrfs_ioctl_search_header`. */
const searchKeyBytes = 104
const itemHeaderBytes = 32
