import type { SnapshotFormat } from '../driver.ts'

/**
 * The stream of a snapshot: a mark, the version and the length of the header (16 bits each), the header as JSON, the
 * content in pieces, each after its length (32 bits), a length of zero, and the SHA-256 of everything before it. Numbers
 * are big-endian. A stream that was cut anywhere is incomplete, whatever the content is.
 */
export const streamMark = Buffer.from('carrel-snapshot\n')
export const streamVersion = 1
/** The header takes some hundred bytes. */
export const maxHeaderBytes = 4096
/** The kernel's pipes deliver pieces of 64 KiB. */
export const maxPieceBytes = 1024 * 1024
export const digestName = 'sha256'
export const digestBytes = 32

export interface SnapshotHeader {
  /** How the content is written. */
  format: SnapshotFormat
  /** The id of the image that the snapshot lies over. */
  image: string
}
