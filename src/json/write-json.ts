import type { Slices } from '../slices.ts'
import { LargeText } from './large-text.ts'

interface Open {
  /** Of a list, undefined. */
  keys: string[] | undefined
  value: Record<string, unknown> | unknown[]
  at: number
  isEmpty: boolean
}

/**
 * JSON as `JSON.stringify` makes it, in pieces of some 64 KiB. Between slices it gives way; a text that is a `LargeText` is never in
 * memory as a whole, and neither is the JSON. Does not call itself: values nest as deep as they like.
 */
export async function* writeJson(root: unknown, slices: Slices): AsyncGenerator<string> {
  const open: Open[] = []
  let text = ''
  let steps = 0
  let value: unknown = root
  for (;;) {
    if (typeof value === 'string' && value.length > shortLength) value = textOf(value)
    if (value instanceof LargeText) {
      text += '"'
      for await (const piece of value.pieces()) {
        for (let at = 0; at < piece.length;) {
          const end = endOfPart(piece, at)
          text += JSON.stringify(piece.slice(at, end)).slice(1, -1)
          at = end
          if (text.length >= pieceLength) {
            yield text
            text = ''
          }
          if (slices.isOver) await slices.next()
        }
      }
      text += '"'
    } else {
      const plain = plainOf(value)
      if (typeof plain === 'object' && plain !== null) {
        const keys = Array.isArray(plain) ? undefined : Object.keys(plain)
        open.push({ keys, value: plain as Open['value'], at: 0, isEmpty: true })
        text += keys ? '{' : '['
      } else text += JSON.stringify(plain) ?? 'null'
    }
    if (text.length >= pieceLength) {
      yield text
      text = ''
    }
    if (++steps % stepsBetween === 0 && slices.isOver) await slices.next()
    for (;;) {
      const inner = open.at(-1)
      if (!inner) {
        yield text
        return
      }
      const next = nextOf(inner)
      if (next) {
        if (!inner.isEmpty) text += ','
        inner.isEmpty = false
        text += next.key
        value = next.value
        break
      }
      open.pop()
      text += inner.keys ? '}' : ']'
    }
  }
}

/** The next of its values; undefined at its end. What JSON has not is left out of an object. */
function nextOf(open: Open): { key: string; value: unknown } | undefined {
  const { keys, value } = open
  if (Array.isArray(value)) return open.at < value.length ? { key: '', value: value[open.at++] } : undefined
  while (keys && open.at < keys.length) {
    const key = keys[open.at++]!
    const found = value[key]
    if (found !== undefined && typeof found !== 'function') return { key: `${JSON.stringify(key)}:`, value: found }
  }
  return undefined
}

function plainOf(value: unknown): unknown {
  const { toJSON } = (value ?? {}) as { toJSON?: unknown }
  return typeof toJSON === 'function' ? (toJSON.call(value) as unknown) : value
}

function textOf(value: string): LargeText {
  return new LargeText(() => [value])
}

/** Where a part of a text ends that begins at a place: not between the halves of a character. */
function endOfPart(text: string, start: number): number {
  const end = Math.min(start + partLength, text.length)
  const isHalf = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800
  return isHalf ? end + 1 : end
}

const shortLength = 16 * 1024
const partLength = 32 * 1024
const pieceLength = 64 * 1024
const stepsBetween = 64
