import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LargeText } from '../json/large-text.ts'
import { writeJson } from '../json/write-json.ts'
import { Slices } from '../slices.ts'

type Release = () => void

/** What a request holds until its answer has gone out. */
const held = new WeakMap<object, Release[]>()

/** Calls back when the answer of a request has gone out, or its client is gone: what was set aside for it is free again then. */
export function holdUntilAnswered(request: object, release: Release): void {
  const releases = held.get(request)
  if (releases) releases.push(release)
  else held.set(request, [release])
}

/**
 * An answer as JSON that is made while it is sent: as much of it as the client takes, a slice at a time. Gives back at its end what its
 * request held.
 */
export class LargeAnswer extends Readable {
  /** `key` is whose answer it is. */
  constructor(value: unknown, key: string, releases: Release[]) {
    const pieces = writeJson(value, new Slices(key))
    super({
      highWaterMark: 64 * 1024,
      read: () => void this.#pushNext(pieces),
      destroy: (error, callback) => {
        callback(error)
        void giveBack(pieces, releases)
      },
    })
  }

  async #pushNext(pieces: AsyncGenerator<string>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await pieces.next()
        if (done) return void this.push(null)
        // An empty one would end the reading.
        if (value !== '') return void this.push(value)
      }
    } catch (error) {
      this.destroy(error as Error)
    }
  }
}

/** When nothing is read for it any more. */
async function giveBack(pieces: AsyncGenerator<string>, releases: Release[]): Promise<void> {
  await pieces.return(undefined).catch(() => {})
  for (const release of releases) release()
}

/** Makes every large answer of every route a `LargeAnswer`: the others are made in one go, as they were. */
export function addLargeAnswers(app: FastifyInstance): void {
  app.addHook('preSerialization', (request, reply, payload, done) => {
    if (isLarge(payload)) reply.serializer(() => largeAnswerOf(request, payload) as unknown as string)
    done(null, payload)
  })
  app.addHook('onSend', (request, _reply, payload, done) => {
    if (!(payload instanceof LargeAnswer)) for (const release of takeHeld(request)) release()
    done(null, payload)
  })
}

function largeAnswerOf(request: FastifyRequest, payload: unknown): LargeAnswer {
  return new LargeAnswer(
    payload,
    (request.caller as { accountId: string } | undefined)?.accountId ?? '',
    takeHeld(request),
  )
}

function takeHeld(request: object): Release[] {
  const releases = held.get(request) ?? []
  held.delete(request)
  return releases
}

/** Looks no further than is needed to know. */
export function isLarge(value: unknown): boolean {
  const open: unknown[] = [value]
  let left = largeCharacters
  while (open.length > 0) {
    const next = open.pop()
    left -= 8
    if (typeof next === 'string') left -= next.length
    else if (next instanceof LargeText) return true
    else if (Array.isArray(next) && next.length > largeEntries) return true
    else if (typeof next === 'object' && next !== null) {
      let entries = 0
      // `Object.values` would look at all of them before the first.
      for (const key in next) {
        if (++entries > largeEntries) return true
        open.push((next as Record<string, unknown>)[key])
      }
    }
    if (left < 0) return true
  }
  return false
}

/** What takes a millisecond in one go. */
const largeCharacters = 128 * 1024
const largeEntries = largeCharacters / 8
