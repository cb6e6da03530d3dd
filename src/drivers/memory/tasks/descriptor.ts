import type { FileSystem } from '../file-system/file-system.ts'
import { FileSystemError } from '../file-system/file-system-error.ts'
import type { FileNode, SpecialNode } from '../file-system/nodes.ts'

/** What a task reads from and writes to by a number. Several tasks may have the same one; it knows how many. */
export interface Descriptor {
  retain(): void
  release(): void
  /** At most so many bytes; none at the end. */
  read(maxBytes: number): Promise<Buffer>
  write(bytes: Uint8Array): Promise<void>
}

/** A regular file that is open, with a position that all who have it share. */
export function fileDescriptor(files: FileSystem, node: FileNode, isAppending: boolean): Descriptor {
  let position = 0
  return {
    retain: () => {},
    release: () => {},
    read: async (maxBytes) => {
      // A copy: it may be written while what was read is on its way.
      const bytes = Buffer.from(node.bytes.subarray(position, position + maxBytes))
      position += bytes.length
      return bytes
    },
    write: async (bytes) => {
      if (isAppending) position = node.sizeBytes
      files.write(node, bytes, position)
      position += bytes.length
    },
  }
}

export function specialDescriptor({ device }: SpecialNode): Descriptor {
  if (device === 'fifo') throw new FileSystemError('ENXIO')
  return {
    retain: () => {},
    release: () => {},
    read: async (maxBytes) => Buffer.alloc(device === 'zero' ? maxBytes : 0),
    write: async () => {},
  }
}

/** Reads its end at once, and takes everything. */
export const nothing: Descriptor = {
  retain: () => {},
  release: () => {},
  read: async () => Buffer.alloc(0),
  write: async () => {},
}
