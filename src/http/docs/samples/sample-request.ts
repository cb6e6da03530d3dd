import { basename } from 'node:path'
import { rawBody } from '../../operation-schema.ts'
import type { Operation } from '../document.ts'

/** The example of a route as a request, which each language writes in its own way. */
export interface SampleRequest {
  method: string
  /** Without the query. */
  url: string
  query: [name: string, value: string][]
  needsToken: boolean
  body:
    | { kind: 'json'; value: unknown }
    | { kind: 'form'; fields: { name: string; value: string; isFile: boolean }[] }
    | { kind: 'file'; name: string }
    | undefined
  /** How the answer is read. */
  answer: 'json' | 'events' | 'text' | 'file'
}

export function sampleRequest(origin: string, operation: Operation): SampleRequest {
  const { method, path, isPublic, parameters, answer } = operation
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && parameter.example !== undefined)
    .map(({ name, example }): [string, string] => [name, String(example)])
  return {
    method,
    url: `${origin}${withExamples(path, parameters)}`,
    query,
    needsToken: !isPublic,
    body: bodyOf(operation, query),
    answer: answerKind(answer?.contentType),
  }
}

function bodyOf({ request }: Operation, query: SampleRequest['query']): SampleRequest['body'] {
  if (!request) return undefined
  const { contentType, example = {} } = request
  if (contentType === rawBody) return { kind: 'file', name: basename(query[0]?.[1] ?? 'file') }
  if (contentType !== 'multipart/form-data') return { kind: 'json', value: example }
  const fields = Object.entries(example).map(([name, value]) => {
    const isFile = name === 'file'
    return { name, value: isFile ? basename(String(example['path'])) : String(value), isFile }
  })
  return { kind: 'form', fields }
}

function answerKind(contentType = ''): SampleRequest['answer'] {
  if (contentType === 'text/event-stream') return 'events'
  if (contentType.endsWith('json')) return 'json'
  return contentType.startsWith('text/') ? 'text' : 'file'
}

/** Returns the local file that the sample of an upload sends, and that it writes first; undefined without an upload. */
export function fileToSend({ body }: Pick<SampleRequest, 'body'>): string | undefined {
  if (body?.kind === 'file') return body.name
  return body?.kind === 'form' ? body.fields.find(({ isFile }) => isFile)?.value : undefined
}

/** The content of that file. */
export const sentText = 'hello'

/** Returns the path with an example value for each parameter. */
function withExamples(path: string, parameters: Operation['parameters']): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String(parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)?.example),
  )
}
