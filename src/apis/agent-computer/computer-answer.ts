import type { FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { workspaceName } from '../../engine/identity/workspaces/workspace-name.ts'
import type { OperationFacts, OwnedComputer } from '../../engine/types.ts'
import { computerOf, operationOf } from './computer-mapping.ts'

/** Returns a computer as clients see it, with the operation on it. */
export async function answerOf(
  engine: Engine,
  { caller }: Pick<FastifyRequest, 'caller'>,
  row: OwnedComputer,
  operation: OperationFacts | undefined,
) {
  const isRunning = operation?.state === 'running'
  return {
    computer: computerOf(row, isRunning ? operation : undefined, await viewerOf(engine, caller)),
    ...(operation ? { operation: operationOf(operation, engine.operations.stepOf(operation.id)) } : {}),
  }
}

/** Returns what of the caller's workspace and role is shown with a computer. */
export async function viewerOf(engine: Engine, { accountId, role }: FastifyRequest['caller']) {
  return { workspaceName: await workspaceName(engine, accountId), role: role === 'owner' ? 'owner' : 'admin' } as const
}
