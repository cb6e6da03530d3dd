import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Settings } from '../../config/settings.ts'
import { errorTable, type CarrelError } from '../../errors.ts'
import { prefersHtml } from '../prefers-html.ts'
import { retryAfterS } from '../retry-after.ts'
import { previewPage, previewPageHeaders } from './preview-page.ts'
import { homeOf, parsePreviewHost } from './preview-name.ts'

/** Answers requests for previews that cannot be shown: with a page for a browser, with JSON for a program. */
export class PreviewErrors {
  readonly #settings: PreviewSettings

  constructor(settings: PreviewSettings) {
    this.#settings = settings
  }

  /** @param keepsFiles whether the computer keeps its files when it stops; default: as the error says */
  send(request: IncomingMessage, response: ServerResponse, error: CarrelError, keepsFiles?: boolean): void {
    const { headers, body } = this.#describe(request, error, keepsFiles)
    response.writeHead(error.status, headers)
    response.end(body)
  }

  /** Returns the same response in its raw form, for a connection whose upgrade to another protocol is refused. */
  raw(request: IncomingMessage, error: CarrelError): string {
    const { headers, body } = this.#describe(request, error)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n${body}`
  }

  #describe(request: IncomingMessage, error: CarrelError, keepsFiles = error.details['keepsFiles'] === true) {
    const { content, body } = prefersHtml(request.headers) ? this.#page(request, error, keepsFiles) : json(error)
    const headers = {
      ...content,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      vary: 'Accept',
      ...(soon.has(error.code) && { 'retry-after': String(retryAfterS) }),
      connection: 'close',
    }
    return { headers, body }
  }

  #page({ headers, method }: IncomingMessage, error: CarrelError, keepsFiles: boolean) {
    const body = previewPage({
      error,
      port: parsePreviewHost(headers.host, this.#settings.previewDomain)?.port,
      home: homeOf(this.#settings),
      isRepeatable: method === 'GET' || method === 'HEAD',
      keepsFiles,
    })
    return { content: previewPageHeaders, body }
  }
}

type PreviewSettings = Pick<Settings, 'previewDomain' | 'port' | 'publicUrl'>

/** Errors that may be over by themselves. */
const soon = new Set<string>(['no_capacity', 'unavailable', 'upstream_unreachable'])

function json(error: CarrelError) {
  const { action, instruction, retryable } = errorTable[error.code]
  const code = error.code.toUpperCase()
  return {
    content: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ error: error.message, code, action, agentInstruction: instruction, retryable }),
  }
}
