import type { Operation } from '../document.ts'
import { firstMessage, lastType } from './first-message.ts'
import { literal, typescript } from './literal.ts'
import { fileToSend, sampleRequest, sentText, type SampleRequest } from './sample-request.ts'

/** Returns a program that sends a route's example with `fetch`, or opens its WebSocket. It needs no packages. */
export function typescriptSample(origin: string, operation: Operation): string {
  return operation.isSocket ? socketSample(origin, operation) : fetchSample(sampleRequest(origin, operation))
}

const token = 'authorization: `Bearer ${process.env.CARREL_TOKEN}`'

function fetchSample(request: SampleRequest): string {
  const { method, url, query, needsToken, body, answer } = request
  const file = fileToSend(request)
  const imports = [
    ...(file === undefined ? [] : ["import { openAsBlob } from 'node:fs'"]),
    ...(answer === 'file' || file !== undefined ? ["import { writeFile } from 'node:fs/promises'"] : []),
  ]
  const headers = [
    ...(needsToken ? [token] : []),
    ...(body?.kind === 'json' ? ["'content-type': 'application/json'"] : []),
  ]
  const options = [
    ...(method === 'GET' ? [] : [`method: '${method}',`]),
    ...headersOf(headers),
    ...(body ? [bodyOf(body)] : []),
  ]
  const given = options.length === 0 ? '' : `, {\n${indented(options.join('\n'))}\n}`
  const lines = [
    ...imports,
    ...(imports.length > 0 ? [''] : []),
    ...(file === undefined ? [] : [`await writeFile('${file}', '${sentText}\\n')`]),
    ...(query.length > 0
      ? [`const query = new URLSearchParams(${literal(Object.fromEntries(query), typescript)})`]
      : []),
    ...(body?.kind === 'form' ? formLines(body.fields) : []),
    `const response = await fetch(${query.length > 0 ? `\`${url}?\${query}\`` : `'${url}'`}${given})`,
    ...reading[answer],
  ]
  return lines.join('\n')
}

const reading = {
  json: ['console.log(await response.json())'],
  text: ['console.log(await response.text())'],
  file: ["await writeFile('answer.bin', Buffer.from(await response.arrayBuffer()))"],
  events: [
    'for await (const text of response.body!.pipeThrough(new TextDecoderStream()))',
    '  process.stdout.write(text)',
  ],
} as const

function headersOf(headers: string[]): string[] {
  if (headers.length < 2) return headers.map((one) => `headers: { ${one} },`)
  return [`headers: {\n${headers.map((one) => `  ${one},`).join('\n')}\n},`]
}

function bodyOf(body: NonNullable<SampleRequest['body']>): string {
  if (body.kind === 'form') return 'body: form,'
  if (body.kind === 'file') return `body: await openAsBlob('${body.name}'),`
  return `body: JSON.stringify(${literal(body.value, typescript)}),`
}

function formLines(fields: { name: string; value: string; isFile: boolean }[]): string[] {
  return [
    'const form = new FormData()',
    ...fields.map(({ name, value, isFile }) =>
      isFile
        ? `form.append('${name}', await openAsBlob('${value}'), '${value}')`
        : `form.append('${name}', ${literal(value, typescript)})`,
    ),
  ]
}

function socketSample(origin: string, operation: Operation): string {
  const last = lastType(operation)
  return `const socket = new WebSocket('${origin.replace(/^http/, 'ws')}${operation.path}', {
  headers: { ${token} },
})
socket.binaryType = 'arraybuffer'
const message = ${literal(firstMessage(operation), typescript)}
socket.onopen = () => socket.send(JSON.stringify(message))
socket.onmessage = ({ data }) => {
  ${
    last === undefined
      ? "console.log(typeof data === 'string' ? data : Buffer.from(data).toString())"
      : `console.log(data)\n  if (JSON.parse(data).type === '${last}') socket.close()`
  }
}`
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
