import { isUtf8 } from 'node:buffer'
import { StringDecoder } from 'node:string_decoder'
import type { OpenFile } from '../engine/types.ts'
import { LargeText, pieceBytes } from '../json/large-text.ts'
import type { Slices } from '../slices.ts'
import { asText, begunBytes } from './text-decoder.ts'

interface Options {
  /** Base64 also where the file is UTF-8. */
  encoding: 'utf8' | 'base64' | undefined
  slices: Slices
}

interface FileText {
  text: string
  encoding: 'utf8' | 'base64'
  size: number
}

/**
 * A file as text of an answer, in base64 when it is not UTF-8. A large one is never in memory as a whole: it is read once to know what it
 * is, and once more while it is sent. One that becomes shorter in between breaks the answer off, so that nobody takes a part for
 * the whole.
 */
export async function fileAsText(file: OpenFile, { encoding, slices }: Options): Promise<FileText> {
  const { sizeBytes } = file.info
  if (sizeBytes <= pieceBytes) {
    const bytes = Buffer.allocUnsafe(sizeBytes)
    return small(bytes.subarray(0, await fill(file, bytes, 0)), encoding)
  }
  const { size, isText } = await lookThrough(file, slices)
  const kind = encoding === 'base64' || !isText ? 'base64' : 'utf8'
  return { text: new LargeText(() => pieces(file, kind, size)).standsFor, encoding: kind, size }
}

function small(bytes: Buffer, encoding: Options['encoding']): FileText {
  const { text, base64 } = asText(bytes)
  if (encoding === 'base64') return { text: bytes.toString('base64'), encoding, size: bytes.length }
  return { text: base64 ?? text, encoding: base64 === undefined ? 'utf8' : 'base64', size: bytes.length }
}

async function lookThrough(file: OpenFile, slices: Slices): Promise<{ size: number; isText: boolean }> {
  const buffer = Buffer.allocUnsafe(readBytes)
  let size = 0
  let isText = true
  /** The beginning of a character, at the start of the buffer. */
  let begun = 0
  while (size < file.info.sizeBytes) {
    const bytes = await fill(file, buffer.subarray(begun, begun + file.info.sizeBytes - size), size)
    if (bytes === 0) break
    size += bytes
    const found = buffer.subarray(0, begun + bytes)
    const next = begunBytes(found)
    isText &&= isUtf8(found.subarray(0, found.length - next))
    begun = found.copy(buffer, 0, found.length - next)
    if (slices.isOver) await slices.next()
  }
  return { size, isText: isText && begun === 0 }
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

/** Less than there is room for only at the end of the file. */
async function fill(file: OpenFile, buffer: Buffer, position: number): Promise<number> {
  let length = 0
  while (length < buffer.length) {
    const bytes = await file.read(buffer.subarray(length), position + length)
    if (bytes === 0) break
    length += bytes
  }
  return length
}

/** A multiple of three, so that pieces of base64 fit together. */
const readBytes = 3 * 32 * 1024
