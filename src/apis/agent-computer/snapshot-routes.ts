import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { createComputer } from '../../engine/computers/durable/create-computer.ts'
import { requireSnapshot } from '../../engine/computers/snapshots/find-snapshot.ts'
import { listSnapshots } from '../../engine/computers/snapshots/list-snapshots.ts'
import {
  beginDeleteSnapshot,
  beginSnapshot,
  type BegunSnapshot,
} from '../../engine/computers/snapshots/snapshot-operations.ts'
import type { Engine } from '../../engine/engine.ts'
import type { OwnedComputer } from '../../engine/types.ts'
import type { App } from '../../http/app.ts'
import { idempotencyKeyOf } from '../../http/idempotency.ts'
import { answerOf, copyErrors } from './computer-answer.ts'
import { givenSizeOf, operationOf } from './computer-mapping.ts'
import { computerAnswer, computerParams } from './computer-schemas.ts'
import { snapshotOf } from './snapshot-mapping.ts'
import { restoreBody, snapshotAnswer, snapshotParams, snapshotsAnswer } from './snapshot-schemas.ts'

/** Adds snapshots of computers, and computers from snapshots. */
export function addSnapshotRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/snapshots',
    {
      schema: { response: { 200: snapshotsAnswer } },
      config: {
        documentation: {
          description: 'List all snapshots of the workspace, also those whose computer is deleted',
        },
      },
    },
    async ({ caller }) => ({ snapshots: (await listSnapshots(engine, caller)).map(snapshotOf) }),
  )
  app.get(
    '/v1/computers/:id/snapshots',
    {
      schema: { params: computerParams, response: { 200: snapshotsAnswer } },
      config: {
        documentation: {
          description: 'List snapshots for a computer, the newest first',
          errors: ['not_found', 'other_node'],
        },
      },
    },
    async ({ caller, params }) => {
      const found = await requireComputer(engine, caller, params.id, 'look')
      return { snapshots: (await listSnapshots(engine, caller, found)).map(snapshotOf) }
    },
  )
  app.post(
    '/v1/computers/:id/snapshots',
    {
      schema: { params: computerParams, response: { 202: snapshotAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Create a snapshot of the files of a computer, which runs on',
          errors: ['conflict', 'limit_reached', 'not_found', 'other_node'],
          notes:
            'Programs stand still for a moment, however much they have written. The snapshot keeps its files when the computer is deleted. A repeated Idempotency-Key returns the same snapshot.',
        },
      },
    },
    async (request, reply) => {
      const found = await requireComputer(engine, request.caller, request.params.id, 'manage')
      void reply.status(202)
      return begunAnswer(await beginSnapshot(engine, found, { requestKey: idempotencyKeyOf(request) }))
    },
  )
  app.get(
    '/v1/snapshots/:snapshotId',
    {
      schema: { params: snapshotParams, response: { 200: snapshotAnswer } },
      config: { documentation: { description: 'Read one snapshot', errors: ['not_found', 'other_node'] } },
    },
    async ({ caller, params }) => ({
      snapshot: snapshotOf((await requireSnapshot(engine, caller, params.snapshotId)).row),
    }),
  )
  app.delete(
    '/v1/snapshots/:snapshotId',
    {
      schema: { params: snapshotParams, response: { 202: snapshotAnswer } },
      config: {
        documentation: {
          description: 'Delete a snapshot',
          errors: ['conflict', 'not_found', 'other_node'],
          notes: 'Computers that were restored from it stay as they are.',
        },
      },
    },
    async ({ caller, params }, reply) => {
      const found = await requireSnapshot(engine, caller, params.snapshotId)
      void reply.status(202)
      return begunAnswer(await beginDeleteSnapshot(engine, found))
    },
  )
  app.post(
    '/v1/snapshots/:snapshotId/restore',
    {
      schema: { params: snapshotParams, body: restoreBody, response: { 202: computerAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Restore a snapshot into a new computer, and start it',
          example: { handle: 'restored' },
          errors: copyErrors,
          notes: 'It gets the size that the computer of the snapshot had, unless the request names another.',
        },
      },
    },
    async (request, reply) => {
      const { body, caller, params } = request
      const snapshot = await requireSnapshot(engine, caller, params.snapshotId)
      const begun = await createComputer(engine, caller, {
        name: body.handle,
        displayName: body.display_name,
        size: givenSizeOf(body),
        authorizedKeys: body.guest?.authorized_keys,
        snapshot,
        requestKey: idempotencyKeyOf(request),
      })
      void reply.status(202)
      return answerOf(engine, request, begun.computer as OwnedComputer, begun.operation)
    },
  )
}

function begunAnswer({ snapshot, operation }: BegunSnapshot) {
  return { snapshot: snapshotOf(snapshot), operation: operationOf(operation) }
}
