import type { FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { workspaceName } from '../../engine/identity/workspaces/workspace-name.ts'
import type { OperationFacts, OwnedComputer } from '../../engine/types.ts'
import { computerOf, operationOf } from './computer-mapping.ts'

/** The errors of routes that make computers from the files of another. */
export const copyErrors = [
  'already_exists',
  'conflict',
  'no_capacity',
  'limit_reached',
  'not_found',
  'other_node',
  'out_of_credits',
  'spending_limit_reached',
] as const

/** Returns a computer as clients see it, with the operation on it. */
export async function answerOf(
  engine: Engine,
  { caller }: Pick<FastifyRequest, 'caller'>,
  row: OwnedComputer,
  operation: OperationFacts | undefined,
) {
  const isRunning = operation?.state === 'running'
  return {
    computer: computerOf(engine, row, isRunning ? operation : undefined, await viewerOf(engine, caller)),
    ...(operation ? { operation: operationOf(operation, engine.operations.stepOf(operation.id)) } : {}),
  }
}

/** Returns what of the caller's workspace and role is shown with a computer. */
export async function viewerOf(engine: Engine, { accountId, role }: FastifyRequest['caller']) {
  return { workspaceName: await workspaceName(engine, accountId), role: role === 'owner' ? 'owner' : 'admin' } as const
}
