import type { FastifyRequest } from 'fastify'
import type { AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { beginDelete, beginStart, beginStop } from '../../engine/computers/durable/computer-operations.ts'
import { createComputer, type Begun } from '../../engine/computers/durable/create-computer.ts'
import { listComputers } from '../../engine/computers/durable/list-computers.ts'
import { renameComputer } from '../../engine/computers/durable/rename-computer.ts'
import { requireSnapshot, type AccessibleSnapshot } from '../../engine/computers/snapshots/find-snapshot.ts'
import type { Engine } from '../../engine/engine.ts'
import { runningOn } from '../../engine/operations/operations.ts'
import type { OwnedComputer } from '../../engine/types.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { idempotencyKeyOf } from '../../http/idempotency.ts'
import { answerOf, viewerOf } from './computer-answer.ts'
import { computerOf, givenSizeOf } from './computer-mapping.ts'
import {
  computerAnswer,
  computerParams,
  computersAnswer,
  createComputerBody,
  updateComputerBody,
} from './computer-schemas.ts'

const startErrors = [
  'conflict',
  'no_capacity',
  'out_of_credits',
  'spending_limit_reached',
  'not_found',
  'other_node',
] as const

export function addComputerRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/computers',
    {
      schema: { response: { 200: computersAnswer } },
      config: { documentation: { description: 'List visible computers' } },
    },
    async ({ caller }) => {
      const rows = await listComputers(engine, caller)
      const running = await runningOn(
        engine,
        rows.map(({ id }) => id),
      )
      const viewer = await viewerOf(engine, caller)
      return { computers: rows.map((row) => computerOf(engine, row, running.get(row.id), viewer)) }
    },
  )
  app.post(
    '/v1/computers',
    {
      schema: { body: createComputerBody, response: { 202: computerAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Create a computer, and start it',
          example: { display_name: 'First', size_preset: 'ram-2g' },
          errors: [
            'already_exists',
            'conflict',
            'other_node',
            'no_capacity',
            'limit_reached',
            'not_found',
            'out_of_credits',
            'spending_limit_reached',
          ],
          notes:
            'The computer keeps its files until it is deleted, whether it runs or not. The answer comes before it runs: poll GET /v1/operations/<operationId>, or the computer. A repeated Idempotency-Key returns the same computer.',
        },
      },
    },
    async (request, reply) => {
      const { body, caller } = request
      assertPlatform(body.platform)
      const begun = await createComputer(engine, caller, {
        name: body.handle,
        displayName: body.display_name,
        size: givenSizeOf(body),
        image: body.source?.image_id || undefined,
        authorizedKeys: body.guest?.authorized_keys,
        snapshot: await sourceSnapshot(engine, caller, body.source),
        requestKey: idempotencyKeyOf(request),
      })
      void reply.status(202)
      return answerOf(engine, request, begun.computer as OwnedComputer, begun.operation)
    },
  )
  app.get(
    '/v1/computers/:id',
    {
      schema: { params: computerParams, response: { 200: computerAnswer } },
      config: { documentation: { description: 'Read one computer', errors: ['not_found', 'other_node'] } },
    },
    async (request) => {
      const { row } = await requireComputer(engine, request.caller, request.params.id, 'look')
      const running = (await runningOn(engine, [row.id])).get(row.id)
      return answerOf(engine, request, row, running)
    },
  )
  app.patch(
    '/v1/computers/:id',
    {
      schema: { params: computerParams, body: updateComputerBody, response: { 200: computerAnswer } },
      config: {
        documentation: {
          description: 'Update computer settings',
          example: { display_name: 'The first one' },
          errors: ['not_found', 'already_exists', 'other_node'],
          notes: 'The host name inside follows the handle at the next start.',
        },
      },
    },
    async (request) => {
      const { body, caller, params } = request
      const found = await requireComputer(engine, caller, params.id, 'manage')
      const row = await renameComputer(engine, found, { name: body.handle, displayName: body.display_name })
      return answerOf(engine, request, row as OwnedComputer, (await runningOn(engine, [row.id])).get(row.id))
    },
  )
  app.delete(
    '/v1/computers/:id',
    {
      schema: { params: computerParams, response: { 202: computerAnswer } },
      config: {
        documentation: { description: 'Delete a computer with its files', errors: ['not_found', 'other_node'] },
      },
    },
    async (request, reply) => {
      const found = await requireComputer(engine, request.caller, request.params.id, 'manage')
      const { computer, operation } = await beginDelete(engine, found)
      void reply.status(202)
      return answerOf(engine, request, computer as OwnedComputer, operation)
    },
  )
  addAction(app, engine, 'start', { description: 'Start a stopped computer', begin: beginStart })
  addAction(app, engine, 'stop', { description: 'Stop a running computer; its files stay', begin: beginStop })
  addAction(app, engine, 'ensure-ready', {
    description: 'Start the computer if it is not already running or starting',
    begin: ensureReady,
  })
}

interface Action {
  description: string
  begin: (engine: Engine, found: AccessibleComputer<'run'>) => Promise<Begun | AccessibleComputer>
}

function addAction(app: App, engine: Engine, name: string, { description, begin }: Action): void {
  app.post(
    `/v1/computers/:id/actions/${name}`,
    {
      schema: { params: computerParams, response: { 202: computerAnswer } },
      config: { idempotent: true, documentation: { description, errors: startErrors } },
    },
    async (request: FastifyRequest<{ Params: { id: string } }>, reply) => {
      const found = await requireComputer(engine, request.caller, request.params.id, 'run')
      const begun = await begin(engine, found)
      const [row, operation] = 'operation' in begun ? [begun.computer, begun.operation] : [begun.row, undefined]
      void reply.status(202)
      return answerOf(engine, request, row as OwnedComputer, operation)
    },
  )
}

/** Starts a computer that is stopped or failed; otherwise returns what it does. */
async function ensureReady(engine: Engine, found: AccessibleComputer<'run'>): Promise<Begun | AccessibleComputer> {
  const running = (await runningOn(engine, [found.id])).get(found.id)
  if (running?.kind === 'computer.create' || running?.kind === 'computer.start')
    return { computer: found.row, operation: running }
  return found.row.state === 'running' ? found : beginStart(engine, found)
}

/** Returns the snapshot that a request names as the source. */
async function sourceSnapshot(
  engine: Engine,
  caller: FastifyRequest['caller'],
  source: { kind?: string; snapshot_id?: string } | undefined,
): Promise<AccessibleSnapshot | undefined> {
  const { kind, snapshot_id: id } = source ?? {}
  if (kind !== 'snapshot' && !id) return undefined
  if (kind === 'snapshot' && id) return requireSnapshot(engine, caller, id)
  throw new CarrelError('invalid_request', 'Cannot create a computer: source has either an image or a snapshot', {
    details: { field: 'source' },
  })
}

function assertPlatform(platform: string | undefined): void {
  if (platform === undefined || platform === '' || platform === 'linux') return
  throw new CarrelError(
    'invalid_request',
    `Cannot create a computer with the platform ${JSON.stringify(platform)}: this server has linux alone`,
    { details: { field: 'platform' } },
  )
}
