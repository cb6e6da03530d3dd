import { limits } from '../../config/limits.ts'
import { requireComputer, type AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import { keepInUse } from '../../engine/computers/access/keep-in-use.ts'
import { assertWasPaid } from '../../engine/computers/credit/assert-credit.ts'
import { execute, resumeExecution, type Execution } from '../../engine/computers/processes/execute.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { claimOf } from '../../http/idempotency.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { computerParams, execAnswer, execBody } from './computer-schemas.ts'

/** Adds `POST /v1/computers/:id/exec`, which runs one program to its end. */
export function addExecRoutes(app: App, engine: Engine): void {
  app.post(
    '/v1/computers/:id/exec',
    {
      schema: { params: computerParams, body: execBody, response: { 200: execAnswer } },
      bodyLimit: limits.codeBodyBytes,
      config: {
        idempotent: true,
        documentation: {
          description: 'Run a command on a running computer and return stdout, stderr, and exit code',
          example: { command: ['ls', '-la'] },
          errors: ['conflict', 'not_found', 'no_capacity', 'out_of_credits', 'other_node'],
          notes:
            'A computer that does not run is a conflict: start it first. A program that does not exist is not_found. A non-zero exit code is no error of the request.',
        },
      },
    },
    async (request) => {
      const { body, caller, params } = request
      const claim = claimOf(request)
      const computer = await requireComputer(engine, caller, params.id, 'run')
      const execution = claim?.hasStarted
        ? await resumeExecution(engine, claim)
        : await run(engine, computer, {
            kind: 'exec' as const,
            program: { argv: body.command },
            processId: claim?.processId,
            command: body.command.join(' '),
            env: body.env,
            cwd: body.cwd,
            user: body.user,
            timeoutMs: body.timeout_ms ?? limits.executeDefaultTimeoutMs,
          })
      holdUntilAnswered(request, execution.release)
      const answer = answerOf(execution)
      await assertWasPaid(engine, execution.process, answer)
      return answer
    },
  )
}

async function run(
  engine: Engine,
  computer: AccessibleComputer<'run'>,
  options: Parameters<typeof execute>[2],
): Promise<Execution> {
  const { state } = computer.row
  if (state !== 'running')
    throw new CarrelError('conflict', `Cannot run a command: the computer is ${state}`, { details: { state } })
  const done = keepInUse(engine, computer)
  try {
    return await execute(engine, computer, options)
  } finally {
    done()
  }
}

function answerOf({ stdout, stderr, exit, process, truncated }: Execution) {
  return {
    exit_code: exit.exitCode ?? 255,
    stdout: stdout.toString('utf8'),
    stderr: stderr.toString('utf8'),
    duration_ms: exit.endedAtMs - process.startedAtMs,
    reason: exit.reason,
    truncated,
  }
}
