import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LargeText } from '../json/large-text.ts'
import { writeJson } from '../json/write-json.ts'
import { Slices } from '../slices.ts'

type Release = () => void

/** The reservations that a request holds until its response has been sent. */
const held = new WeakMap<object, Release[]>()

/** Releases a reservation once the response of a request has been sent, or its client is gone. */
export function holdUntilAnswered(request: object, release: Release): void {
  const releases = held.get(request)
  if (releases) releases.push(release)
  else held.set(request, [release])
}

/**
 * A JSON response that is generated while it is sent: in slices, at the pace of the client. Releases the reservations
 * of its request at its end.
 */
export class LargeResponse extends Readable {
  /** @param key whose response it is, for fair slices: an account */
  constructor(value: unknown, key: string, releases: Release[]) {
    const pieces = writeJson(value, new Slices(key))
    super({
      highWaterMark: 64 * 1024,
      read: () => void this.#pushNext(pieces),
      destroy: (error, callback) => {
        callback(error)
        void releaseAll(pieces, releases)
      },
    })
  }

  async #pushNext(pieces: AsyncGenerator<string>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await pieces.next()
        if (done) return void this.push(null)
        // An empty string would end the stream.
        if (value !== '') return void this.push(value)
      }
    } catch (error) {
      this.destroy(error as Error)
    }
  }
}

/** Stops generating, then releases: nothing uses the reservations any more. */
async function releaseAll(pieces: AsyncGenerator<string>, releases: Release[]): Promise<void> {
  await pieces.return(undefined).catch(() => {})
  for (const release of releases) release()
}

/** Turns every large response of every route into a `LargeResponse`; the others are serialized in one go as usual. */
export function addLargeResponses(app: FastifyInstance): void {
  app.addHook('preSerialization', (request, reply, payload, done) => {
    if (isLarge(payload)) reply.serializer(() => largeResponseOf(request, payload) as unknown as string)
    done(null, payload)
  })
  app.addHook('onSend', (request, _reply, payload, done) => {
    if (!(payload instanceof LargeResponse)) for (const release of takeHeld(request)) release()
    done(null, payload)
  })
}

function largeResponseOf(request: FastifyRequest, payload: unknown): LargeResponse {
  return new LargeResponse(
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

/** Whether a value is large; examines no more of it than is needed to decide. */
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
      // `Object.values` would visit every entry first.
      for (const key in next) {
        if (++entries > largeEntries) return true
        open.push((next as Record<string, unknown>)[key])
      }
    }
    if (left < 0) return true
  }
  return false
}

/** As much as can be serialized in a millisecond. */
const largeCharacters = 128 * 1024
const largeEntries = largeCharacters / 8
