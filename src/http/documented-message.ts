/** A message of a WebSocket, or an event of a stream, as documents show it. */
export interface DocumentedMessage {
  /** Its type, and its action where several messages have the type, such as `process attach`. */
  name: string
  from: 'client' | 'server'
  /** One sentence. */
  description: string
  /** The route that has the same fields and the same answer, such as `POST /files/read`. */
  route?: string | undefined
  /** The schema of its fields; undefined for bytes. */
  schema?: object
  /** A whole message, the data of an event, or bytes in words. */
  example: unknown
  /** What the server answers to the example. */
  answer?: unknown
}
