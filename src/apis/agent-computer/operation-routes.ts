import type { Engine } from '../../engine/engine.ts'
import { getOperation } from '../../engine/operations/operations.ts'
import type { App } from '../../http/app.ts'
import { operationOf } from './computer-mapping.ts'
import { operationAnswer, operationParams } from './computer-schemas.ts'

export function addOperationRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/operations/:operationId',
    {
      schema: { params: operationParams, response: { 200: operationAnswer } },
      config: { documentation: { description: 'Read an operation', errors: ['not_found'] } },
    },
    async ({ params, caller }) => {
      const row = await getOperation(engine, caller.accountId, params.operationId)
      return { operation: operationOf(row, engine.operations.stepOf(row.id)) }
    },
  )
}
