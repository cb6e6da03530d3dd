import type { ServerResponse } from 'node:http'
import { CarrelError } from '../errors.ts'

/** The requests without a response so far: each of them gets one before the server ends. */
export class OpenRequests {
  readonly #refusals = new Map<ServerResponse, (error: CarrelError) => void>()

  /** @param refuse answers the request with an error */
  add(response: ServerResponse, refuse: (error: CarrelError) => void): void {
    this.#refusals.set(response, refuse)
    response.once('close', () => this.#refusals.delete(response))
  }

  /** Answers every request for which nothing has been sent yet with `unavailable`. */
  refuseAll(): void {
    for (const [response, refuse] of this.#refusals) if (!response.headersSent) refuse(serverStops())
  }
}

export function serverStops(): CarrelError {
  return new CarrelError('unavailable', 'Cannot handle the request: the server is shutting down')
}
