import type { Engine } from '../../../engine/engine.ts'
import type { App } from '../../app.ts'
import { readyDocument, sendReady } from '../../docs/ready-document.ts'
import { summaryDocument } from '../../summary-document.ts'
import { scriptSource, statusStyleSource, styleSource } from '../design.ts'
import { pageHeaders } from '../page.ts'
import { statusPage } from './status-page.ts'

/** As of every page, with the style of this one, and without forms. A browser may keep it and ask whether it changed. */
export const statusPageHeaders = {
  ...pageHeaders,
  'cache-control': 'no-cache',
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${styleSource} ${statusStyleSource}`,
    `script-src ${scriptSource}`,
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
}

/** Adds the status page, which is made once for each check of the services. */
export function addStatusPage(app: App, { uptime }: Pick<Engine, 'uptime'>): void {
  const document = summaryDocument(uptime, (summary) => readyDocument('text/html', statusPage(summary)))
  app.get('/status', { config: { public: true } }, (request, reply) =>
    sendReady(request, reply.headers(statusPageHeaders), document()),
  )
}
