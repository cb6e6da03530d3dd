import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { limits } from '../../../config/limits.ts'
import { JsonError, parseJson, parseShortJson } from '../../../json/parse-json.ts'
import type { Slices } from '../../../slices.ts'

const id = Type.String()
const event = <T extends string>(name: T) => Type.Literal(name)

/** One thing in several forms, by media type. Images but SVG are in base64. */
const bundle = Type.Record(Type.String(), Type.Unknown(), { maxProperties: limits.kernelMimeTypes })

/** What belongs to a call, in the order in which it came about. */
const callEvent = Type.Union([
  Type.Object({ event: event('output'), id, name: Type.Enum(['stdout', 'stderr']), text: Type.String() }),
  Type.Object({
    event: event('result'),
    id,
    data: bundle,
    /** True for the value of the last expression. */
    main: Type.Boolean(),
    /** What it is called, to be replaced later by one with `update`. */
    displayId: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    update: Type.Optional(Type.Boolean()),
  }),
  /** All before is to go; with `wait`, when something comes in its place. */
  Type.Object({ event: event('clear'), id, wait: Type.Boolean() }),
  Type.Object({
    event: event('error'),
    id,
    name: Type.String(),
    message: Type.String(),
    traceback: Type.Array(Type.String()),
  }),
  Type.Object({
    event: event('done'),
    id,
    count: Type.Union([Type.Integer(), Type.Null()]),
    truncated: Type.Boolean(),
  }),
])

/** What a kernel says, a line of JSON each. Both kernels beside this file speak so. */
const kernelEvent = Type.Union([
  Type.Object({ event: event('ready') }),
  Type.Object({ event: event('missing'), message: Type.String() }),
  /** `running` is the id of the call that runs, null between calls. */
  Type.Object({ event: event('synced'), id, running: Type.Union([Type.String(), Type.Null()]) }),
  callEvent,
])

export type MimeBundle = Static<typeof bundle>
export type CallEvent = Static<typeof callEvent>
export type KernelEvent = Static<typeof kernelEvent>

const check = Compile(kernelEvent)

/** An event and what it weighs: its bytes, or what its values take in memory where that is more. */
export interface HeardEvent {
  event: KernelEvent
  weight: number
}

/**
 * undefined for what is no event: the rest of a line whose beginning a server before this one took, or something that
 * the guest, whose computer it is, made of its kernel. Throws a `JsonError` of kind `bounds` for what may be an event, and is too much.
 */
export async function readKernelEvent(line: Buffer, slices: Slices): Promise<HeardEvent | undefined> {
  try {
    const { value, values } =
      line.length <= shortLine ? parseShortJson(line, bounds) : await parseJson(line, bounds, slices)
    return check.Check(value) ? { event: value, weight: Math.max(line.length, values * valueBytes) } : undefined
  } catch (error) {
    if (error instanceof JsonError && error.kind !== 'bounds') return undefined
    throw error
  }
}

const bounds = {
  values: limits.kernelLineValues,
  depth: limits.kernelLineDepth,
  keys: limits.jsonKeys,
  keyLength: limits.kernelKeyLength,
}
const shortLine = 32 * 1024
/** Of an empty list. */
const valueBytes = 32
