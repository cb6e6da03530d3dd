import { basename } from 'node:path'
import { rawBody } from '../operation-schema.ts'
import type { Operation, Parameter } from './document.ts'

/** Returns the command that sends a route's example, or opens its WebSocket. The token is in `CARREL_TOKEN`. */
export function exampleCommand(origin: string, operation: Operation): string {
  if (!operation.isSocket) return curlCommand(origin, operation)
  return `wscat -H "Authorization: Bearer $CARREL_TOKEN" \\\n  -c ${origin.replace(/^http/, 'ws')}${operation.path}`
}

function curlCommand(origin: string, { method, path, isPublic, parameters, request, answer }: Operation): string {
  const words = ['curl', ...(answer?.contentType === 'text/event-stream' ? ['-N'] : [])]
  if (!['GET', 'POST', 'PUT'].includes(method)) words.push('-X', method)
  if (!isPublic) words.push('-H "Authorization: Bearer $CARREL_TOKEN"')
  const query = parameters.filter((parameter) => parameter.in === 'query' && parameter.example !== undefined)
  if (request?.contentType === rawBody) return wrap([...words, ...uploadWords(`${origin}${path}`, query)])
  if (query.length > 0) words.push('-G')
  for (const { name, example } of query) words.push(`--data-urlencode ${quote(`${name}=${String(example)}`)}`)
  if (request?.contentType === 'multipart/form-data')
    for (const [name, value] of Object.entries(request.example ?? {}))
      words.push(
        `-F ${quote(`${name}=${name === 'file' ? `@${basename(String(request.example?.['path']))}` : String(value)}`)}`,
      )
  else if (request) words.push("-H 'content-type: application/json'", `-d ${quote(JSON.stringify(request.example))}`)
  else if (method === 'POST') words.push('-X POST')
  return wrap([...words, `${origin}${withExamples(path, parameters)}`])
}

/** Returns the path with an example value for each parameter. */
function withExamples(path: string, parameters: Operation['parameters']): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String(parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)?.example),
  )
}

/** Returns the arguments of an upload with `curl -T`, which sends a PUT and needs the query in the address. */
function uploadWords(address: string, query: Parameter[]): string[] {
  const fields = query.map(({ name, example }) => `${name}=${encodeURI(String(example))}`)
  return [`-T ${quote(basename(String(query[0]?.example)))}`, quote(`${address}?${fields.join('&')}`)]
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Wraps words into lines, which the shell joins. */
function wrap(words: string[]): string {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < maxLineLength) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join(' \\\n  ')
}

const maxLineLength = 62
