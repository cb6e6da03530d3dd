import type { FastifyInstance } from 'fastify'

/** Makes the routes of a scope accept HTML form bodies besides JSON; a form becomes an object of its fields. */
export function readForms(scope: Pick<FastifyInstance, 'addContentTypeParser'>): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: formBytes },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))),
  )
}

/** The forms of our own pages have at most one field. */
const formBytes = 4096
