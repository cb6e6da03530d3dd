import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { beginResize } from '../../engine/computers/durable/resize-computer.ts'
import { transferComputer } from '../../engine/computers/transfer/transfer-computer.ts'
import { requireSnapshot } from '../../engine/computers/snapshots/find-snapshot.ts'
import { beginFork } from '../../engine/computers/snapshots/fork-computer.ts'
import { beginRestoreInPlace } from '../../engine/computers/snapshots/restore-in-place.ts'
import type { Engine } from '../../engine/engine.ts'
import type { OwnedComputer } from '../../engine/types.ts'
import type { App } from '../../http/app.ts'
import { idempotencyKeyOf } from '../../http/idempotency.ts'
import { answerOf, copyErrors, viewerOf } from './computer-answer.ts'
import { computerOf, givenSizeOf, operationOf, wantedSizeOf } from './computer-mapping.ts'
import { computerAnswer, computerParams, resizeAnswer, resizeBody, transferBody } from './computer-schemas.ts'
import { forkAnswer, forkBody, restoreInPlaceBody } from './snapshot-schemas.ts'

/** Adds what changes a computer as a whole: its size, its files and its owner, and copies of it. */
export function addChangeRoutes(app: App, engine: Engine): void {
  app.post(
    '/v1/computers/:id/actions/resize',
    {
      schema: { params: computerParams, body: resizeBody, response: { 202: resizeAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Queue a RAM or storage resize',
          example: { size_preset: 'ram-4g' },
          errors: ['conflict', 'no_capacity', 'not_found', 'other_node'],
          notes:
            'What the request leaves out stays. A running computer gets its new size while it runs. When it uses more memory than it would have, restart_required is true, and the operation stops and starts it. Storage cannot be less than what the disk holds.',
        },
      },
    },
    async (request, reply) => {
      const found = await requireComputer(engine, request.caller, request.params.id, 'manage')
      const wanted = wantedSizeOf(request.body)
      const begun = await beginResize(engine, found, { wanted, requestKey: idempotencyKeyOf(request) })
      void reply.status(202)
      const answer = await answerOf(engine, request, begun.computer as OwnedComputer, begun.operation)
      return { ...answer, restart_required: begun.needsRestart }
    },
  )
  app.post(
    '/v1/computers/:id/actions/restore',
    {
      schema: { params: computerParams, body: restoreInPlaceBody, response: { 202: computerAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Replace the files of a computer by those of a snapshot',
          example: { snapshot_id: '5b9x0wz3k7m1q4r8t2vy' },
          errors: ['conflict', 'not_found', 'other_node', 'out_of_credits', 'spending_limit_reached'],
          notes:
            'All files of the computer are lost that are not in a snapshot. A running computer is stopped for it and started again.',
        },
      },
    },
    async (request, reply) => {
      const { body, caller, params } = request
      const found = await requireComputer(engine, caller, params.id, 'manage')
      const snapshot = await requireSnapshot(engine, caller, body.snapshot_id)
      const begun = await beginRestoreInPlace(engine, found, { snapshot, requestKey: idempotencyKeyOf(request) })
      void reply.status(202)
      return answerOf(engine, request, begun.computer as OwnedComputer, begun.operation)
    },
  )
  app.post(
    '/v1/computers/:id/actions/transfer',
    {
      schema: { params: computerParams, body: transferBody, response: { 200: computerAnswer } },
      config: {
        documentation: {
          description: 'Transfer ownership of a computer to another workspace',
          example: { target_org_id: '96q0159qpqtdet0td9p5' },
          errors: [
            'already_exists',
            'conflict',
            'forbidden',
            'limit_reached',
            'not_found',
            'other_node',
            'out_of_credits',
            'spending_limit_reached',
          ],
          notes:
            'Snapshots go along. Programs in the computer end, and so does everything that the old workspace has open on it; exposed ports are closed. The new workspace pays from then on. Requires an admin of the old workspace who is a member of the new one, and the token of a sign-in.',
        },
      },
    },
    async (request) => {
      const { body, caller, params } = request
      const found = await requireComputer(engine, caller, params.id, 'manage')
      const { row, target } = await transferComputer(engine, found, { caller, targetId: body.target_org_id })
      return answerOf(engine, { caller: target }, row, undefined)
    },
  )
  app.post(
    '/v1/computers/:id/fork',
    {
      schema: { params: computerParams, body: forkBody, response: { 202: forkAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Make copies of a computer as it is now, and start them',
          example: { count: 2, handle: 'copy' },
          errors: copyErrors,
          notes:
            'All copies are of one moment. There is room for all of them, or nothing is made. Several get the handle with a number each.',
        },
      },
    },
    async (request, reply) => {
      const { body, caller, params } = request
      const found = await requireComputer(engine, caller, params.id, 'manage')
      const { computers, operation } = await beginFork(engine, found, {
        count: body.count ?? 1,
        name: body.handle,
        displayName: body.display_name,
        size: givenSizeOf(body),
        requestKey: idempotencyKeyOf(request),
      })
      const viewer = await viewerOf(engine, caller)
      void reply.status(202)
      return {
        computers: computers.map((row) => computerOf(engine, row, undefined, viewer)),
        operation: operationOf(operation, engine.operations.stepOf(operation.id)),
      }
    },
  )
}
