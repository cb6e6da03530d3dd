import { isUtf8 } from 'node:buffer'
import { StringDecoder } from 'node:string_decoder'
import type { OpenFile } from '../engine/types.ts'
import { LargeText, pieceBytes } from '../json/large-text.ts'
import type { Slices } from '../slices.ts'
import { asText, incompleteBytes } from './text-decoder.ts'

interface Options {
  /** With `base64` the text is base64 even when the file is UTF-8. */
  encoding: 'utf8' | 'base64' | undefined
  slices: Slices
}

interface FileText {
  text: string
  encoding: 'utf8' | 'base64'
  size: number
}

/**
 * Returns a file as text for a response, in base64 when it is not UTF-8. A large file is never in memory as a whole: it
 * is read once to find its encoding, and once more while it is sent. If it becomes shorter in between, the response is
 * cut off, so that a client does not mistake a part for the whole.
 */
export async function fileAsText(file: OpenFile, { encoding, slices }: Options): Promise<FileText> {
  const { sizeBytes } = file.info
  if (sizeBytes <= pieceBytes) {
    const bytes = Buffer.allocUnsafe(sizeBytes)
    return small(bytes.subarray(0, await fill(file, bytes, 0)), encoding)
  }
  const { size, isText } = await scan(file, slices)
  const kind = encoding === 'base64' || !isText ? 'base64' : 'utf8'
  return { text: new LargeText(() => pieces(file, kind, size)).standsFor, encoding: kind, size }
}

function small(bytes: Buffer, encoding: Options['encoding']): FileText {
  const { text, base64 } = asText(bytes)
  if (encoding === 'base64') return { text: bytes.toString('base64'), encoding, size: bytes.length }
  return { text: base64 ?? text, encoding: base64 === undefined ? 'utf8' : 'base64', size: bytes.length }
}

async function scan(file: OpenFile, slices: Slices): Promise<{ size: number; isText: boolean }> {
  const buffer = Buffer.allocUnsafe(readBytes)
  let size = 0
  let isText = true
  /** How many bytes at the start of the buffer begin a character. */
  let incomplete = 0
  while (size < file.info.sizeBytes) {
    const bytes = await fill(file, buffer.subarray(incomplete, incomplete + file.info.sizeBytes - size), size)
    if (bytes === 0) break
    size += bytes
    const found = buffer.subarray(0, incomplete + bytes)
    const next = incompleteBytes(found)
    isText &&= isUtf8(found.subarray(0, found.length - next))
    incomplete = found.copy(buffer, 0, found.length - next)
    if (slices.isOver) await slices.next()
  }
  return { size, isText: isText && incomplete === 0 }
}

async function* pieces(file: OpenFile, kind: 'utf8' | 'base64', size: number): AsyncGenerator<string> {
  const buffer = Buffer.allocUnsafe(readBytes)
  const decoder = new StringDecoder('utf8')
  for (let at = 0; at < size;) {
    const wanted = Math.min(readBytes, size - at)
    if ((await fill(file, buffer.subarray(0, wanted), at)) < wanted)
      throw new Error(`the file ends before ${size} bytes`)
    at += wanted
    const bytes = buffer.subarray(0, wanted)
    yield kind === 'base64' ? bytes.toString('base64') : decoder.write(bytes)
  }
  if (kind === 'utf8') yield decoder.end()
}

/** Fills a buffer from a file. Returns fewer bytes than requested only at the end of the file. */
async function fill(file: OpenFile, buffer: Buffer, position: number): Promise<number> {
  let length = 0
  while (length < buffer.length) {
    const bytes = await file.read(buffer.subarray(length), position + length)
    if (bytes === 0) break
    length += bytes
  }
  return length
}

/** A multiple of three, so that base64 pieces can be concatenated. */
const readBytes = 3 * 32 * 1024
