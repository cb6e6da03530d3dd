/** Returns the answer of an operation of OpenAPI that succeeds, with its status; undefined for a WebSocket. */
export function successOf<T>(responses: Readonly<Record<string, T>>): [status: string, response: T] | undefined {
  return Object.entries(responses).find(([status]) => status.startsWith('2'))
}
