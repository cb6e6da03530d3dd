import type { ServerResponse } from 'node:http'
import { CarrelError } from '../errors.ts'

/** Requests that are not answered yet, so that each of them gets an answer before the server ends. */
export class OpenRequests {
  readonly #refusals = new Map<ServerResponse, (error: CarrelError) => void>()

  /** @param refuse answers it with an error */
  add(response: ServerResponse, refuse: (error: CarrelError) => void): void {
    this.#refusals.set(response, refuse)
    response.once('close', () => this.#refusals.delete(response))
  }

  /** Answers those of which nothing was sent. */
  refuseAll(): void {
    for (const [response, refuse] of this.#refusals) if (!response.headersSent) refuse(serverStops())
  }
}

export function serverStops(): CarrelError {
  return new CarrelError('unavailable', 'Cannot handle the request: the server is being stopped')
}
