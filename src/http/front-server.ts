import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { limits } from '../config/limits.ts'
import { CarrelError } from '../errors.ts'
import { answerHalfClosedClients, noteResponse } from './half-closed-clients.ts'
import { noteRequest } from './malformed-request.ts'
import type { OpenRequests } from './open-requests.ts'
import type { ComputerPages } from './computer-pages.ts'
import { isUnderPreviewDomain, parsePreviewHost } from './previews/preview-name.ts'
import type { PreviewProxy } from './previews/proxy.ts'
import { cutStalledResponse } from './stalled-clients.ts'

const timeouts = {
  headersTimeout: 60_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 10_000,
}
/** The kernel detects a client that vanished silently. */
const probes = { keepAlive: true, keepAliveInitialDelay: 60_000 }

interface Parts {
  previews: PreviewProxy
  pages: ComputerPages | undefined
  previewDomain: string
  openRequests: OpenRequests
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Returns what creates the HTTP server: it sends requests to previews and to the pages of computers by their host name,
 * and all others to Fastify.
 */
export function frontServer({ previews, pages, previewDomain, openRequests }: Parts): (handler: Handler) => Server {
  return (handler) => {
    const answer: Handler = (request, response) => {
      cutStalledResponse(response, limits.stalledClientMs)
      noteRequest(response)
      const target = parsePreviewHost(request.headers.host, previewDomain)
      noteResponse(response, target === undefined)
      if (target) {
        openRequests.add(response, (error) => previews.refuse(request, response, error))
        void previews.handle(target, request, response)
      } else if (pages?.isAt(request.headers.host)) pages.handle(request, response)
      else if (isUnderPreviewDomain(request.headers.host, previewDomain))
        previews.refuse(
          request,
          response,
          new CarrelError('not_found', 'Cannot open the preview: there is no such name'),
        )
      else handler(request, response)
    }
    const server = createServer({ ...timeouts, ...probes, shouldUpgradeCallback: mayUpgrade }, answer)
    answerHalfClosedClients(server)
    // A client that sends Expect: 100-continue is told to continue only once its body will be read (`body-hooks.ts`);
    // otherwise it gets only the refusal.
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (parsePreviewHost(request.headers.host, previewDomain)) response.writeContinue()
      answer(request, response)
    })
    // By itself, Node refuses an unknown expectation with an empty response; RFC 9110 also allows ignoring it.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response))
    return server
  }
}

/** Ignores an offer of HTTP/2 over cleartext, which some clients send with each request. */
function mayUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() !== 'h2c'
}
