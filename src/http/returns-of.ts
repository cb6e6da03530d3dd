import type { RouteOptions } from 'fastify'
import { shapeOf } from './shape-of.ts'

interface Media {
  schema?: object
}
interface Answer {
  description?: string
  content?: Record<string, Media>
}

/**
 * Returns what a route answers when it succeeds, in short: from the schema of the answer, unless there is more to say
 * than it says.
 */
export function returnsOf({ schema, config }: RouteOptions): string | Readonly<Record<string, string>> {
  const { returns, answers } = config?.documentation ?? {}
  if (returns !== undefined) return returns
  const success = Object.entries((answers ?? schema?.response ?? {}) as Record<string, Answer>)
    .filter(([status]) => /^(1|2)/.test(status))
    .map(([, answer]) => answer)[0]
  return success ? inShort(success) : ''
}

function inShort(answer: Answer): string {
  const json = answer.content?.['application/json']?.schema
  if (!answer.content) return shapeOf(answer)
  if (!json) return answer.description ?? ''
  return 'text/html' in answer.content ? `${answer.description}; as JSON ${shapeOf(json)}` : shapeOf(json)
}
