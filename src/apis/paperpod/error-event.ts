import { Type } from 'typebox'
import type { DocumentedMessage } from '../../http/documented-message.ts'
import { CarrelError } from '../../errors.ts'
import { envelope, errorBody } from './errors.ts'

/** Returns the `error` event of a stream. */
export function errorEvent(description: string): DocumentedMessage {
  return {
    name: 'error',
    from: 'server',
    description,
    schema: Type.Object(
      { type: Type.Literal('error'), ...propertiesOf(envelope.schema) },
      { additionalProperties: true },
    ),
    example: { type: 'error', ...errorExample() },
  }
}

/** Returns the error of a token that was revoked. */
export function errorExample(): Record<string, unknown> {
  const error = new CarrelError('unauthenticated', 'Cannot accept the token: it was revoked')
  return errorBody(error, 'f3c1a5d0-7a0e-4b0c-9b7e-3f1f5a9f2d11')
}

function propertiesOf(schema: object): Record<string, never> {
  return (schema as { properties: Record<string, never> }).properties
}
