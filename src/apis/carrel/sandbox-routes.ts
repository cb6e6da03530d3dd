import { limits } from '../../config/limits.ts'
import { findComputer, type AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import { listComputers } from '../../engine/computers/manage/list-computers.ts'
import { removeSandbox } from '../../engine/computers/manage/remove.ts'
import { stopOnRequest } from '../../engine/computers/manage/stop-on-request.ts'
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { cursorOf, nameAfter, sandboxAnswerOf } from './sandbox-mapping.ts'
import { sandboxesAnswer, sandboxesQuery, sandboxParams, stoppedAnswer } from './sandbox-schemas.ts'

/** Adds the routes that list an account's sandboxes, stop them and delete them. */
export function addSandboxRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/sandboxes',
    {
      schema: { querystring: sandboxesQuery, response: { 200: sandboxesAnswer } },
      config: {
        documentation: {
          description: 'List the sandboxes of the account',
          notes: `Ordered by name, ${limits.sandboxesPerPage} a page. Listing is no use of a sandbox: its idle time runs. What only the server that has the sandbox knows is null on every other.`,
          example: {},
        },
      },
    },
    async ({ query, caller }) => {
      const { computers, next } = await listComputers(engine, caller, {
        name: query.name,
        after: query.cursor === undefined ? undefined : nameAfter(query.cursor),
        limit: limits.sandboxesPerPage,
      })
      return { sandboxes: computers.map(sandboxAnswerOf), next_cursor: next === undefined ? null : cursorOf(next) }
    },
  )
  app.post(
    '/v1/sandboxes/:sandboxId/stop',
    {
      schema: { params: sandboxParams, response: { 200: stoppedAnswer } },
      config: {
        documentation: {
          description: 'Stop a sandbox: its programs end, and its files are deleted unless keeps_files is true',
          errors: ['not_found', 'other_node'],
          notes:
            'The name, the preview addresses and the output of its processes stay, and the next call that uses the name starts it from its image. Has no effect on a sandbox that is stopped.',
        },
      },
    },
    async ({ params, caller }) => {
      const computer = await find(engine, caller, params.sandboxId)
      await stopOnRequest(engine, computer)
      return { message: 'The sandbox is stopped', sandbox_id: computer.id }
    },
  )
  app.delete(
    '/v1/sandboxes/:sandboxId',
    {
      schema: { params: sandboxParams, response: { 200: stoppedAnswer } },
      config: {
        documentation: {
          description: 'Delete a sandbox with its files and preview addresses',
          errors: ['not_found', 'other_node', 'conflict'],
          notes:
            'Its name is free: the next call that uses the name creates another sandbox. A computer that keeps its files is deleted by DELETE /v1/computers/<id> alone: here it is a conflict.',
        },
      },
    },
    async ({ params, caller }) => {
      const computer = await find(engine, caller, params.sandboxId)
      await removeSandbox(engine, computer, 'requested')
      return { message: 'The sandbox is deleted', sandbox_id: computer.id }
    },
  )
}

async function find(engine: Engine, caller: Caller, id: string): Promise<AccessibleComputer<'manage'>> {
  const computer = await findComputer(engine, caller, { id }, 'manage')
  if (computer) return computer
  throw new CarrelError('not_found', `Cannot find sandbox ${JSON.stringify(id)}: the account has none with this id`, {
    details: { field: 'sandboxId' },
  })
}
