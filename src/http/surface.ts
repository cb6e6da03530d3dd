import type { Settings } from '../config/settings.ts'
import type { Engine } from '../engine/engine.ts'
import { errorTable, type ErrorCode } from '../errors.ts'
import type { App } from './app.ts'
import type { ErrorEnvelope } from './error-envelope.ts'
import type { RateLimitPolicy } from './rate-limits.ts'

/** Adds the routes and WebSockets of one noun. */
export type AddRoutes = (app: App, engine: Engine) => void

/** Routes that the reference shows together. */
export interface Topic {
  name: string
  /** One sentence. */
  description: string
  /** In the order in which the reference shows them. */
  routes: readonly AddRoutes[]
  /** Routes of this topic that another surface serves, such as `GET /docs`: both contracts have them. */
  shared?: readonly string[]
  /** How much of it an agent reads: every route with an example, a line for each route, or nothing. Default: 'full'. */
  skill?: 'full' | 'brief' | 'none'
}

/** One published API, as the HTTP layer sees it: `apis/surfaces.ts` lists them all. */
export interface Surface {
  /** The name in paths, such as `/docs/<name>`. */
  name: string
  title: string
  /** One sentence. */
  description: string
  /**
   * Every address below one of these belongs to the surface, whether it has a route or not. The longest matching prefix
   * decides; '' matches every address.
   */
  prefixes: readonly string[]
  /** Routes of its document that this server does not have yet, such as `POST /ai/embed`. */
  absent?: readonly string[]
  /** An address for programs at which people look for the page that signs them in: a browser is sent there. */
  signInPath?: string
  envelope: ErrorEnvelope
  /** True if the clients are not ours, and may send fields that no schema has: see `lenient-requests.ts`. */
  takesUnknownFields: boolean
  /**
   * What to do next about an error, if this surface has better advice than the error table, such as one of its routes.
   */
  instructions: Instructions
  rateLimits: RateLimitPolicy
  topics: readonly Topic[]
  /** What a reader must know before the routes. */
  guide?: (facts: GuideFacts) => readonly GuideSection[]
  /** The limits of the surface, for its documentation. */
  limits?: (settings: Settings) => readonly (readonly [what: string, bound: string])[]
  /** What routes answer to their examples, by route, such as `POST /execute`. */
  answers?: Readonly<Record<string, unknown>>
  /** The route whose example comes first in documents that show no other, such as `POST /execute`. */
  example?: string
}

export interface GuideFacts {
  /** The origin at which the client reaches the server. */
  origin: string
  settings: Settings
}

export interface GuideSection {
  title: string
  /** Text with code between backticks, and no other markup. */
  paragraphs: readonly string[]
}

export type Instructions = Readonly<Partial<Record<ErrorCode, string>>>

/** Returns what to do next about an error: the surface's instruction, or that of the error table. */
export function instructionFor(code: ErrorCode, instructions: Instructions): string {
  return instructions[code] ?? errorTable[code].instruction
}

/** Returns the surface that an address belongs to, ignoring its query. One surface must have the prefix ''. */
export function surfaceOf(surfaces: readonly Surface[], address: string): Surface {
  const [path = ''] = address.split('?', 1)
  const fits = (prefix: string) => path === prefix || path.startsWith(`${prefix}/`) || prefix === ''
  const found = surfaces
    .flatMap((surface) => surface.prefixes.filter(fits).map((prefix) => ({ surface, prefix })))
    .reduce((best, one) => (one.prefix.length > best.prefix.length ? one : best))
  return found.surface
}
