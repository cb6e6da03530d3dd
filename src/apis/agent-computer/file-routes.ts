import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import { requireComputer, type AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import { workspaceOf } from '../../engine/computers/files/workspace.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ComputerFiles } from '../../engine/types.ts'
import { assertRole } from '../../engine/identity/accounts/roles.ts'
import type { App } from '../../http/app.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { Slices } from '../../slices.ts'
import { computerParams } from './computer-schemas.ts'
import { workspace } from './file-mapping.ts'
import { operations } from './file-operations.ts'
import { fileAnswer, fileBody } from './file-schemas.ts'

/** Adds `POST /v1/computers/:id/files/ops`, which reads and writes the workspace of a computer that runs or not. */
export function addFileRoutes(app: App, engine: Engine): void {
  app.post(
    '/v1/computers/:id/files/ops',
    {
      schema: { params: computerParams, body: fileBody, response: { 200: fileAnswer } },
      bodyLimit: limits.jsonBodyBytes,
      config: {
        documentation: {
          description: 'Read and write the workspace, whether the computer runs or not',
          example: { operation: 'list', path: workspace, recursive: false },
          errors: [
            'not_found',
            'already_exists',
            'conflict',
            'forbidden',
            'too_large',
            'disk_full',
            'limit_reached',
            'no_capacity',
            'not_set_up',
            'other_node',
          ],
          returns: 'the fields of the operation; {} for an operation that returns nothing',
          notes: `A computer that does not run is not started, and nothing is charged. For owners and admins of the workspace alone. Paths are absolute and below ${workspace}, a directory of the computer itself; a link that leads out of it is refused. What is written belongs to the user node, and missing parents are created. write_text, write_bytes and patch are atomic; write_range writes in place. read_text, read_bytes and read_range return up to ${limits.readBytes} bytes. list returns up to ${limits.listEntries} entries: while truncated is true, send its cursor for more. grep searches as ripgrep does: without hidden and binary files and what ignore files name, with the case of letters unless case_insensitive, for the text unless regex, for ${limits.searchMatches} lines or ${limits.searchMs / 1000} seconds; files over ${limits.searchFileBytes} bytes are left out.`,
        },
      },
    },
    async (request) => {
      const { body, caller, params } = request
      const computer = await requireComputer(engine, caller, params.id, 'files')
      assertRole(caller, 'admin')
      return runFileOperation(engine, request, computer, body)
    },
  )
}

/** Does one operation for a request, with what `fileBody` accepts, and returns what `fileAnswer` describes. */
export async function runFileOperation(
  engine: Engine,
  request: FastifyRequest,
  computer: AccessibleComputer<'files'>,
  body: Static<typeof fileBody>,
): Promise<object> {
  const files = await filesFor(engine, request, computer)
  const slices = new Slices(computer.caller.accountId)
  return operations[body.operation]({ engine, request, computer, files, body, slices })
}

/** Returns the files of the workspace for a request, which counts their descriptors until it is answered. */
export async function filesFor(
  engine: Engine,
  request: FastifyRequest,
  computer: AccessibleComputer<'files'>,
): Promise<ComputerFiles> {
  const { descriptors } = engine.budgets
  const shares = descriptors.sharesOf({ account: computer.caller.accountId })
  holdUntilAnswered(request, descriptors.take('use the files', shares, limits.fileDescriptors).release)
  return workspaceOf(engine, computer, workspace)
}
