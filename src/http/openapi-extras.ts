import { routeErrors } from './operation-schema.ts'
import { successOf } from './success-of.ts'
import type { CataloguedRoute } from './route-catalog.ts'

interface Operation {
  tags?: string[]
  responses?: Record<string, { content?: Record<string, { example?: unknown }> }>
}

/**
 * Adds to an operation what its schemas do not have: an example of its JSON answer, the codes of its errors, and the
 * messages of its WebSocket or the events of its stream.
 */
export function addExtras(operation: Operation, { name, options, surface }: CataloguedRoute): void {
  const { responses = {} } = operation
  const answer = surface.answers?.[name]
  const json = successOf(responses)?.[1].content?.['application/json']
  if (json && answer !== undefined) json.example = answer
  for (const [status, codes] of routeErrors(options, surface))
    if (responses[status]) Object.assign(responses[status], { 'x-codes': codes.map(surface.envelope.codeOf) })
  const messages = options.config?.documentation?.messages?.()
  if (messages) Object.assign(operation, { 'x-messages': messages })
}
