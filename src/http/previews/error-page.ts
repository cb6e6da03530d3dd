import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import { errorTable, type CarrelError } from '../../errors.ts'
import { retryAfterS } from '../retry-after.ts'

/** Answers a request for a preview that cannot be shown: with a page for a browser, with JSON for a program. */
export function sendErrorPage(request: IncomingMessage, response: ServerResponse, error: CarrelError): void {
  const { headers, body } = describe(request, error)
  response.writeHead(error.status, headers)
  response.end(body)
}

/** Returns the same response in its raw form, for a connection whose upgrade to another protocol is refused. */
export function rawErrorResponse(request: IncomingMessage, error: CarrelError): string {
  const { headers, body } = describe(request, error)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n${body}`
}

function describe(request: IncomingMessage, error: CarrelError) {
  const { action, instruction, retryable } = errorTable[error.code]
  const wantsPage = (request.headers.accept ?? '').includes('text/html')
  const code = error.code.toUpperCase()
  const body = wantsPage
    ? page(error.message, instruction)
    : JSON.stringify({ error: error.message, code, action, agentInstruction: instruction, retryable })
  const headers = {
    'content-type': wantsPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(error.code === 'no_capacity' && { 'retry-after': String(retryAfterS) }),
    connection: 'close',
  }
  return { headers, body }
}

function page(message: string, instruction: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Preview</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem;color:#223}p{color:#667}
@media(prefers-color-scheme:dark){body{background:#15171c;color:#dde}p{color:#99a}}</style>
<h1>${escape(message)}</h1><p>${escape(instruction)}</p></html>`
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
