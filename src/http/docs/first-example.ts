import { exampleCommand, type JsonForm } from './samples/curl.ts'
import { operationsByTopic } from './document.ts'
import type { DocumentParts } from './parts.ts'

/** Returns the command that an index shows: the example of the first surface that names one. */
export function firstExample({ surfaces, reference, origin }: DocumentParts, form: JsonForm = 'short'): string {
  for (const surface of surfaces) {
    const found = operationsByTopic(reference(surface))
      .flatMap(({ operations }) => operations)
      .find(({ method, path }) => `${method} ${path}` === surface.example)
    if (found) return exampleCommand(origin, found, form)
  }
  return ''
}
