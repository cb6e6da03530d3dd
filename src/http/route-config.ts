import type { ErrorCode } from '../errors.ts'
import type { DocumentedMessage } from './documented-message.ts'
import type { RateClass } from './rate-limits.ts'
import type { SocketEndpoint } from './sockets/socket-endpoint.ts'
import type { Surface } from './surface.ts'
import type { FastifyRequest } from 'fastify'
import type { Authenticated, Scope } from '../engine/identity/accounts/tokens.ts'

/** What a route documents beyond its schemas, for the discovery document, OpenAPI and the hooks. */
export interface RouteDocumentation {
  /** One sentence. */
  description: string
  /** What the schema of the response does not say, such as the events of a stream; by case if there are several. */
  returns?: string | Readonly<Record<string, string>>
  notes?: string
  /** A common mistake, in one sentence. */
  important?: string
  /** What a program must do differently from other routes, in one sentence. */
  agentInstruction?: string
  /** The calls of each way to use the route, in order. */
  flows?: Readonly<Record<string, string>>
  /** Headers that the route reads in addition to those that every route reads. */
  headers?: Readonly<Record<string, { required: boolean; description: string }>>
  /** For types of input that a schema cannot show. */
  params?: unknown
  /**
   * A request that works after those of the previous routes: a JSON body, the fields of a form (a file as its
   * text), the query of a GET, or the query with the body as `file`.
   */
  example?: unknown
  contentType?: string
  /** The format of a URL in the response. */
  urlFormat?: string
  /** Only if there is more to say than whether a token is needed. */
  auth?: string
  protocol?: string
  discovery?: string
  deprecated?: boolean
  /** What to use instead of a deprecated route. */
  replacement?: string
  /** The schema of a body that is not JSON. */
  form?: unknown
  /** The schemas, by status, of responses that are not JSON objects. */
  answers?: unknown
  /** The messages of a WebSocket, or the events of a stream. Called once all routes are known. */
  messages?: () => readonly DocumentedMessage[]
  /** Errors specific to the route; those of a body, a token or an Idempotency-Key are documented automatically. */
  errors?: readonly ErrorCode[]
}

declare module 'fastify' {
  interface FastifyContextConfig {
    documentation?: RouteDocumentation
    /** True for a route that needs no token. */
    public?: boolean
    /**
     * True for a route that grants rights or sets limits: to ignore a misspelt limit would grant more than was asked for.
     */
    refusesUnknownFields?: boolean
    /** True for a sign-in route: the requests of each network are limited. */
    signIn?: boolean
    /** Returns the caller of a request that has the token of an access session instead of one of an account. */
    callerOf?: (request: FastifyRequest) => Promise<Authenticated>
    /** For how long nothing of the body may arrive, where that is longer than `limits.stalledBodyMs`. */
    quietBodyMs?: number
    /** The scope that a token needs. Default: `compute`; `any` accepts every token. */
    scope?: Scope | 'any'
    /** True for a POST that creates something and supports `Idempotency-Key`. */
    idempotent?: boolean
    /** Default: by the method. */
    rateClass?: RateClass
    /** The WebSocket that opens at this address: see `sockets/add-socket.ts`. */
    socket?: SocketEndpoint
    /** The surface that the address belongs to; the app sets it on every route. */
    surface?: Surface
  }
}
