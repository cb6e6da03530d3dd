import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { findInteraction, waitForInteraction } from '../../engine/environments/interactions/find-interaction.ts'
import { listInteractions } from '../../engine/environments/interactions/list-interactions.ts'
import { replaceText } from '../../engine/environments/interactions/replace-text.ts'
import { runCommand } from '../../engine/environments/interactions/run-command.ts'
import { findSession, openSession } from '../../engine/environments/sessions/find-session.ts'
import type { App } from '../../http/app.ts'
import { clientLeft } from '../../http/client-left.ts'
import { claimOf } from '../../http/idempotency.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { environmentOf } from '../environment.ts'
import { interactionOf, summaryOf } from './session-mapping.ts'
import {
  execAnswer,
  execBody,
  interactionAnswer,
  interactionParams,
  interactionQuery,
  interactionsAnswer,
  pageQuery,
  sessionParams,
  strReplaceAnswer,
  strReplaceBody,
} from './session-schemas.ts'

export function addInteractionRoutes(app: App, engine: Engine): void {
  app.post(
    '/sessions/:session_id/exec',
    {
      schema: { params: sessionParams, body: execBody, response: { 200: execAnswer } },
      bodyLimit: limits.codeBodyBytes,
      config: {
        idempotent: true,
        documentation: {
          description: 'Start command execution in an environment (async)',
          example: { command: 'python -m pytest -q', command_timeout: 600 },
          errors: [
            'not_found',
            'conflict',
            'already_exists',
            'limit_reached',
            'no_capacity',
            'out_of_credits',
            'spending_limit_reached',
            'computer_stopped',
            'other_node',
          ],
          notes:
            'The answer comes once the command runs: poll GET /sessions/<session_id>/interactions/<interaction_id> until exit_code is not null. The command goes on when the client leaves, and also when the server restarts. Of each stream, the newest 10 MiB are kept. The state of the shell is not kept between commands unless shell is "persistent"; of persistent commands, one runs at a time.',
        },
      },
    },
    async (request) => {
      const { body, caller, params } = request
      const claim = claimOf(request)
      if (claim?.hasStarted) {
        const session = await findSession(engine, caller, params.session_id)
        const { row, release } = await findInteraction(engine, session, claim.processId)
        release()
        return { interaction_id: row.id, status: row.status }
      }
      const session = await openSession(engine, caller, params.session_id)
      const { id, status } = await runCommand(engine, session, {
        id: claim?.processId,
        command: body.command,
        timeoutMs: (body.command_timeout ?? limits.interactionDefaultTimeoutMs / 1000) * 1000,
        isPersistent: body.shell === 'persistent',
        cwd: body.cwd,
        env: environmentOf(body.env),
        user: body.user,
      })
      return { interaction_id: id, status }
    },
  )
  app.get(
    '/sessions/:session_id/interactions',
    {
      schema: { params: sessionParams, querystring: pageQuery, response: { 200: interactionsAnswer } },
      config: { documentation: { description: 'List the interactions of a session', errors: ['not_found'] } },
    },
    async ({ params, query, caller }) => {
      const [page, limit] = [Number(query.page ?? 1), Number(query.page_size ?? limits.interactionsListed)]
      const session = await findSession(engine, caller, params.session_id)
      const rows = await listInteractions(engine, session, { page, limit })
      const count = session.interaction_count
      return { interactions: rows.map(summaryOf), total_count: count, has_more: count > page * limit }
    },
  )
  app.get(
    '/sessions/:session_id/interactions/:interaction_id',
    {
      schema: { params: interactionParams, querystring: interactionQuery, response: { 200: interactionAnswer } },
      config: {
        documentation: {
          description: 'Get interaction details by ID',
          errors: ['not_found', 'no_capacity'],
          notes:
            'All of the output, up to 10 MiB of each stream, can be read for as long as the computer keeps it: up to a day. The newest 32 KiB of each stream are kept with the session, for 30 days after its end.',
        },
      },
    },
    async (request, reply) => {
      const { params, query, caller } = request
      const session = await findSession(engine, caller, params.session_id)
      const waitMs = query.wait_seconds === undefined ? limits.pollGraceMs : Number(query.wait_seconds) * 1000
      await waitForInteraction(engine, params.interaction_id, waitMs, clientLeft(request, reply))
      const found = await findInteraction(engine, session, params.interaction_id)
      holdUntilAnswered(request, found.release)
      return interactionOf(found)
    },
  )
  app.post(
    '/sessions/:session_id/str_replace',
    {
      schema: { params: sessionParams, body: strReplaceBody, response: { 200: strReplaceAnswer } },
      bodyLimit: limits.codeBodyBytes,
      config: {
        documentation: {
          description: 'Replace a string in a file within the session environment',
          example: { file_path: 'notes.txt', str_to_replace: 'hello', str_to_insert: 'good morning' },
          errors: ['not_found', 'conflict', 'limit_reached', 'other_node'],
          notes:
            'The file is changed only if the string is there exactly once, atomically; its owner and its mode stay. Otherwise success is false, and message says why, with the number of occurrences and their lines.',
        },
      },
    },
    async ({ params, body, caller }) => {
      const session = await openSession(engine, caller, params.session_id)
      const { id, isReplaced, message } = await replaceText(engine, session, {
        path: body.file_path,
        find: body.str_to_replace,
        replace: body.str_to_insert,
      })
      return { success: isReplaced, message: message ?? '', interaction_id: id }
    },
  )
}
