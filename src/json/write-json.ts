import type { Slices } from '../slices.ts'
import { LargeText } from './large-text.ts'

interface Open {
  /** Undefined for a list. */
  keys: string[] | undefined
  value: Record<string, unknown> | unknown[]
  at: number
  isEmpty: boolean
}

/**
 * Yields the JSON that `JSON.stringify` makes, in pieces of some 64 KiB. Other work runs between slices. Neither the
 * JSON nor a `LargeText` in it is ever in memory as a whole. There is no recursion, so values may nest to any depth.
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

/** Returns the next value of a list or object; undefined at its end. Fields that JSON cannot represent are left out. */
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

/** Returns the end of the part that begins at `start`, which is never between the halves of a surrogate pair. */
function endOfPart(text: string, start: number): number {
  const end = Math.min(start + partLength, text.length)
  const isHalf = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800
  return isHalf ? end + 1 : end
}

const shortLength = 16 * 1024
const partLength = 32 * 1024
const pieceLength = 64 * 1024
const stepsBetween = 64
