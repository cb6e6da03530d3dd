import type { Operation } from '../document.ts'
import { firstMessage } from './first-message.ts'
import { fileToSend, sampleRequest, sentText, type SampleRequest } from './sample-request.ts'

/** How JSON is written: on one line, or on several lines if it is long. */
export type JsonForm = 'short' | 'readable'

/** Returns the command that sends a route's example, or opens its WebSocket. The token is in `CARREL_TOKEN`. */
export function exampleCommand(origin: string, operation: Operation, form: JsonForm = 'short'): string {
  if (operation.isSocket) return socketCommand(origin, operation, form)
  const request = sampleRequest(origin, operation)
  const file = fileToSend(request)
  const command = curlCommand(request, form)
  return file === undefined ? command : `echo ${sentText} > ${quote(file)}\n${command}`
}

function curlCommand({ method, url, query, needsToken, body, answer }: SampleRequest, form: JsonForm): string {
  const words = ['curl', ...(answer === 'events' ? ['-N'] : [])]
  if (!['GET', 'POST', 'PUT'].includes(method)) words.push(`-X ${method}`)
  if (needsToken) words.push('-H "Authorization: Bearer $CARREL_TOKEN"')
  // `curl -T` sends a PUT, and needs the query in the address.
  if (body?.kind === 'file') return wrap([...words, `-T ${quote(body.name)}`, quote(`${url}?${queryText(query)}`)])
  if (query.length > 0) words.push('-G')
  for (const [name, value] of query) words.push(`--data-urlencode ${quote(`${name}=${value}`)}`)
  if (body?.kind === 'form')
    for (const { name, value, isFile } of body.fields) words.push(`-F ${quote(`${name}=${isFile ? '@' : ''}${value}`)}`)
  else if (body) words.push("-H 'content-type: application/json'", `-d ${quote(json(body.value, form))}`)
  else if (method === 'POST') words.push('-X POST')
  return wrap([...words, quote(url)])
}

/** `wscat` sends the message, and ends after some seconds. */
function socketCommand(origin: string, operation: Operation, form: JsonForm): string {
  return wrap([
    'npx wscat',
    '-H "Authorization: Bearer $CARREL_TOKEN"',
    `-x ${quote(json(firstMessage(operation), form))}`,
    '-w 5',
    `-c ${origin.replace(/^http/, 'ws')}${operation.path}`,
  ])
}

function json(value: unknown, form: JsonForm): string {
  const line = JSON.stringify(value)
  return form === 'short' || line.length <= maxJsonLength
    ? line
    : JSON.stringify(value, undefined, 2).replaceAll('\n', '\n  ')
}

function queryText(query: SampleRequest['query']): string {
  return query.map(([name, value]) => `${name}=${encodeURI(value)}`).join('&')
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Wraps words into lines, which the shell joins. */
function wrap(words: string[]): string {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && !word.includes('\n') && last.length + word.length < maxLineLength)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join(' \\\n  ')
}

const maxLineLength = 50
const maxJsonLength = 40
