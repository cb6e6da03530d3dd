import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorTable, type CarrelError } from '../../errors.ts'

/** Answers a preview that cannot be shown: a page for a browser, JSON for a program. */
export function answerPage(request: IncomingMessage, response: ServerResponse, error: CarrelError): void {
  const { instruction } = errorTable[error.code]
  const wantsPage = (request.headers.accept ?? '').includes('text/html')
  const body = wantsPage
    ? page(error.message, instruction)
    : JSON.stringify({ error: error.message, code: error.code.toUpperCase(), agentInstruction: instruction })
  response.writeHead(error.status, {
    'content-type': wantsPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(body)
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
