import type { FastifyInstance } from 'fastify'

/** Makes the routes of a scope take what a page's form sends, as an object of its fields, beside JSON. */
export function readForms(scope: Pick<FastifyInstance, 'addContentTypeParser'>): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: formBytes },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))),
  )
}

/** The forms of our own pages have a field or none. */
const formBytes = 4096
