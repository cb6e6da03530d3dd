import type { ErrorCode } from '../errors.ts'
import type { RateClass } from './rate-limits.ts'
import type { SocketEndpoint } from './sockets/socket-endpoint.ts'
import type { Surface } from './surface.ts'
import type { Scope } from '../engine/identity/accounts/tokens.ts'

/** What a route says of itself beyond its schemas: for the discovery document, OpenAPI and the hooks. */
export interface RouteDocumentation {
  /** One sentence. */
  description: string
  /** Only what the schema of the answer does not say, such as the events of a stream; by the case where there are several. */
  returns?: string | Readonly<Record<string, string>>
  notes?: string
  /** What is easily got wrong, in one sentence. */
  important?: string
  /** What a program has to do otherwise than by other routes, in one sentence. */
  agentInstruction?: string
  /** The calls of each way through the route, one after the other. */
  flows?: Readonly<Record<string, string>>
  /** Headers that it reads beyond what every route reads. */
  headers?: Readonly<Record<string, { required: boolean; description: string }>>
  /** For types of input that a schema cannot show. */
  params?: unknown
  /**
   * A request that works when those of the routes before it were made: a JSON body, the fields of a form (a file as its
   * text), the query of a GET, or the query with the body as `file`.
   */
  example?: unknown
  contentType?: string
  /** How an address in the answer is made. */
  urlFormat?: string
  /** Where it is not just whether a token is needed. */
  auth?: string
  protocol?: string
  discovery?: string
  deprecated?: boolean
  /** What to use instead of a deprecated one. */
  replacement?: string
  /** The schema of a body that is no JSON. */
  form?: unknown
  /** Schemas by status of answers that are no JSON object. */
  answers?: unknown
  /** Errors that are its own; those that come with a body, a token or an Idempotency-Key are told without it. */
  errors?: readonly ErrorCode[]
}

declare module 'fastify' {
  interface FastifyContextConfig {
    documentation?: RouteDocumentation
    /** True for a route that needs no token. */
    public?: boolean
    /** True for one by which people sign in: each address may ask it only so often. */
    signIn?: boolean
    /** What a token has to be for; `compute` by default, `any` for a route that every token may use. */
    scope?: Scope | 'any'
    /** True for a POST that makes something and honours `Idempotency-Key`. */
    idempotent?: boolean
    /** Default: by the method. */
    rateClass?: RateClass
    /** The WebSocket that opens at this address: see `sockets/add-socket.ts`. */
    socket?: SocketEndpoint
    /** The surface that the address belongs to; the app sets it on every route. */
    surface?: Surface
  }
}
