import { createHash } from 'node:crypto'
import type { Surface } from '../surface.ts'
import { operationsByTopic, type OpenApiDocument, type Operation, type Schema } from './document.ts'
import { errorsOf } from './errors.ts'
import { fieldsOf } from './field-list.ts'
import { anchorOf } from './guide.ts'
import { messageAnchor } from './message-sections.ts'
import type { DocumentParts } from './parts.ts'

/** What the search finds: where it is, what is shown of it, and further words that find it, such as names of fields. */
interface SearchEntry {
  surface: string
  kind: 'route' | 'message' | 'event' | 'error' | 'guide'
  title: string
  detail: string
  href: string
  words?: string
}

/** The index of everything that the pages say, for the search in the browser. It contains no origin. */
export interface SearchIndex {
  text: string
  url: string
}

export function searchIndex({
  surfaces,
  reference,
  settings,
}: Omit<DocumentParts, 'searchUrl' | 'origin'>): SearchIndex {
  const entries = surfaces.flatMap((surface): SearchEntry[] => [
    ...(surface.guide?.({ origin: '', settings }) ?? []).map(({ title }) =>
      entry(surface, 'guide', title, '', anchorOf(title)),
    ),
    ...routesOf(surface, reference(surface)),
    ...errorsOf(surface).map(({ code, status, instruction }) =>
      entry(surface, 'error', code, `${status} · ${instruction}`, `error-${code}`),
    ),
  ])
  const text = JSON.stringify(entries)
  return { text, url: `/docs/search.json?v=${createHash('sha256').update(text).digest('hex').slice(0, 16)}` }
}

function routesOf(surface: Surface, document: OpenApiDocument): SearchEntry[] {
  return operationsByTopic(document)
    .flatMap(({ operations }) => operations)
    .flatMap((operation) => {
      const { id, method, path, summary, isSocket, messages } = operation
      const words = [...new Set(fieldNames(operation))].join(' ')
      return [
        entry(surface, 'route', `${isSocket ? 'WS' : method} ${path}`, summary, id, words),
        ...messages.map((message) =>
          entry(
            surface,
            isSocket ? 'message' : 'event',
            message.name,
            `${path} · ${message.description}`,
            messageAnchor(id, message),
            namesIn(message.schema).join(' '),
          ),
        ),
      ]
    })
}

function entry(
  { name, title: surface }: Surface,
  kind: SearchEntry['kind'],
  title: string,
  detail: string,
  anchor: string,
  words = '',
): SearchEntry {
  const first = detail.length > maxDetail ? `${detail.slice(0, maxDetail)}…` : detail
  return { surface, kind, title, detail: first, href: `/docs/${name}#${anchor}`, ...(words ? { words } : {}) }
}

function fieldNames({ parameters, request, answer }: Operation): string[] {
  return [...parameters.map(({ name }) => name), ...namesIn(request?.schema), ...namesIn(answer?.schema)]
}

/** Returns the names of the fields of an object, and of the objects in it. */
function namesIn(schema: Schema | undefined): string[] {
  if (!schema) return []
  return fieldsOf(schema).flatMap(({ name, schema: inner }) => [name, ...namesIn(inner.items ?? inner)])
}

const maxDetail = 110
