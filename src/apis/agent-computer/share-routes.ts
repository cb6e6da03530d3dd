import { Type } from 'typebox'
import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { createShare } from '../../engine/computers/shares/create-share.ts'
import { listShares } from '../../engine/computers/shares/list-shares.ts'
import { revokeShare } from '../../engine/computers/shares/revoke-share.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { computerParams } from './computer-schemas.ts'
import { shareOf } from './share-mapping.ts'
import { createShareBody, shareAnswer, shareParams, sharesAnswer } from './share-schemas.ts'

/** Adds the links that open a computer for whoever has them. */
export function addShareRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/computers/:id/shares',
    {
      schema: { params: computerParams, response: { 200: sharesAnswer } },
      config: {
        documentation: {
          description: 'List active shares for a computer',
          errors: ['not_found', 'other_node'],
          notes: 'The newest share comes first. Expired and deleted ones are not shown.',
        },
      },
    },
    async (request, reply) => {
      const { caller, params } = request
      const shares = await listShares(engine, await requireComputer(engine, caller, params.id, 'manage'))
      void reply.header('cache-control', 'no-store')
      return { shares: shares.map((share) => shareOf(request, share)) }
    },
  )
  app.post(
    '/v1/computers/:id/shares/links',
    {
      schema: { params: computerParams, body: createShareBody, response: { 201: shareAnswer } },
      config: {
        refusesUnknownFields: true,
        documentation: {
          description: 'Create a share link',
          example: { allow_browser: true, allow_vnc: true },
          errors: ['not_found', 'limit_reached', 'other_node'],
          notes:
            'Whoever has the link opens the computer while it runs, without an account. What visitors do is done and paid for by the workspace, within the spending limits of the token that created the share. The share ends when it expires or is deleted, when the computer is deleted or changes hands, and when its creator leaves the workspace; it outlives the token that created it.',
        },
      },
    },
    async (request, reply) => {
      const { body = {}, caller, params } = request
      const computer = await requireComputer(engine, caller, params.id, 'manage')
      const { allow_vnc: allowVnc = false, allow_browser: allowBrowser = !allowVnc } = body
      const wanted = { allowBrowser, allowVnc, expiresAtMs: timeOf(body.expires_at) }
      void reply.status(201).header('cache-control', 'no-store')
      return { share: shareOf(request, await createShare(engine, computer, caller, wanted)) }
    },
  )
  app.delete(
    '/v1/computers/:id/shares/links/:shareId',
    {
      schema: { params: shareParams, response: { 204: Type.Null() } },
      config: {
        documentation: {
          description: 'Delete a share link, and end what is open by it',
          returns: 'Nothing',
          errors: ['not_found', 'other_node'],
        },
      },
    },
    async ({ caller, params }, reply) => {
      await revokeShare(engine, await requireComputer(engine, caller, params.id, 'manage'), params.shareId)
      void reply.status(204)
      return null
    },
  )
}

/** Returns a time of RFC 3339 in Unix milliseconds. Throws `invalid_request` for any other text. */
function timeOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const timeMs = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : NaN
  if (Number.isFinite(timeMs)) return timeMs
  throw new CarrelError(
    'invalid_request',
    'Cannot create the share: "expires_at" is not a time such as 2030-01-31T12:00:00Z',
    { details: { field: 'expires_at' } },
  )
}
