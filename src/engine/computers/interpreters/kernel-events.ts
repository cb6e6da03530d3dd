import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { limits } from '../../../config/limits.ts'
import { JsonError, parseJson, parseShortJson } from '../../../json/parse-json.ts'
import type { Slices } from '../../../slices.ts'

const id = Type.String()
const event = <T extends string>(name: T) => Type.Literal(name)

/** One value in several forms, by media type. Images except SVG are in base64. */
const bundle = Type.Record(Type.String(), Type.Unknown(), { maxProperties: limits.kernelMimeTypes })

/** The events of a call, in the order in which they happen. */
const callEvent = Type.Union([
  Type.Object({ event: event('output'), id, name: Type.Enum(['stdout', 'stderr']), text: Type.String() }),
  Type.Object({
    event: event('result'),
    id,
    data: bundle,
    /** True for the value of the last expression. */
    main: Type.Boolean(),
    /** Identifies the display, so that an event with `update` can replace it later. */
    displayId: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    update: Type.Optional(Type.Boolean()),
  }),
  /** Removes all earlier outputs; with `wait`, only when the next output arrives. */
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

/** What a kernel sends: one line of JSON for each event. Both kernels beside this file use this format. */
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

/** An event and its weight: its bytes, or what its values take in memory where that is more. */
export interface ReadEvent {
  event: KernelEvent
  weight: number
}

/**
 * Returns the event in a line; undefined when the line is no event: the rest of a line whose beginning an earlier
 * server read, or something else that the guest made its kernel send. Throws a `JsonError` of kind `bounds` for a line
 * that may be an event but exceeds a limit.
 */
export async function readKernelEvent(line: Buffer, slices: Slices): Promise<ReadEvent | undefined> {
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
/** The memory that an empty list takes. */
const valueBytes = 32
