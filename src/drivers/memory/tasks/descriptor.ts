import type { FileSystem } from '../file-system/file-system.ts'
import { FileSystemError } from '../file-system/file-system-error.ts'
import type { FileNode, SpecialNode } from '../file-system/nodes.ts'

/** What a task reads from and writes to by number. Several tasks may share a descriptor; it counts its holders. */
export interface Descriptor {
  retain(): void
  release(): void
  /** Returns at most `maxBytes`; an empty buffer at the end. */
  read(maxBytes: number): Promise<Buffer>
  write(bytes: Uint8Array): Promise<void>
}

/** Returns a descriptor for a regular file, with one position for all its holders. */
export function fileDescriptor(files: FileSystem, node: FileNode, isAppending: boolean): Descriptor {
  let position = 0
  return {
    retain: () => {},
    release: () => {},
    read: async (maxBytes) => {
      // Copied, as the file may be written before the reader has used the bytes.
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

/** A descriptor that is always at its end and discards what is written. */
export const emptyDescriptor: Descriptor = {
  retain: () => {},
  release: () => {},
  read: async () => Buffer.alloc(0),
  write: async () => {},
}
