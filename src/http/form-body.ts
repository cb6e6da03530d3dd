import type { FastifyInstance, FastifyRequest } from 'fastify'
import { smallJsonParser } from './json-body.ts'

type Scope = Pick<FastifyInstance, 'addContentTypeParser' | 'removeContentTypeParser' | 'getDefaultJsonParser'>

/**
 * Makes the routes of a scope accept HTML form bodies besides JSON; a form becomes an object of its fields. JSON that is
 * sent with the type of a form is read as JSON: browsers encode the brace with which it begins.
 */
export function readForms(scope: Scope): void {
  const parseJson = smallJsonParser(scope)
  scope.removeContentTypeParser(formType)
  scope.addContentTypeParser(
    formType,
    { parseAs: 'buffer', bodyLimit: formBytes },
    async (request: FastifyRequest, body: Buffer) => {
      const text = body.toString('utf8')
      return text.trimStart().startsWith('{') ? parseJson(request, body) : Object.fromEntries(new URLSearchParams(text))
    },
  )
}

const formType = 'application/x-www-form-urlencoded'
/** The forms of our own pages are small. */
const formBytes = 4096
