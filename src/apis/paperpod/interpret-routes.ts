import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../../config/limits.ts'
import { assertWasPaid } from '../../engine/computers/credit/assert-credit.ts'
import type { Engine } from '../../engine/engine.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { interpret, type Interpreted, type InterpretOptions } from '../../engine/computers/interpreters/interpret.ts'
import type { App } from '../../http/app.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { interpretAnswerOf } from './mapping.ts'
import { interpretAnswer, interpretBody } from './schemas/interpret.ts'

export function addInterpretRoutes(app: App, engine: Engine): void {
  app.post(
    '/interpret',
    {
      schema: { body: interpretBody, response: { 200: interpretAnswer } },
      bodyLimit: limits.codeBodyBytes,
      config: {
        idempotent: true,
        documentation: {
          description: 'Code interpreter with rich output (charts, images)',
          notes:
            'Variables stay from call to call of a sandbox and language, one kernel each. Python matplotlib figures captured as base64 PNG, in order with what is printed. At the timeout the code is interrupted and its variables are kept, as they are when its client leaves without an Idempotency-Key. kernelRestarted says that variables of earlier calls are gone, kernelLost that they went with this one, as with exit(). What is larger than an answer holds is cut, and says so',
          example: { code: 'answer = 6 * 7\nanswer' },
        },
      },
    },
    async (request, reply) => {
      const { code, language = 'python', sessionId = '', timeout } = request.body
      const timeoutMs = timeout ?? limits.executeDefaultTimeoutMs
      const signal = leaving(request, reply)
      const interpreted = await interpretIn(engine, request, { code, language, timeoutMs, signal })
      holdUntilAnswered(request, interpreted.release)
      const answer = interpretAnswerOf(interpreted, { language, sessionId })
      if (interpreted.interpretation.kernelLost)
        await assertWasPaid(engine, interpreted.process, answer, request.caller.tokenId)
      return answer
    },
  )
}

async function interpretIn(
  engine: Engine,
  { caller, body }: Pick<FastifyRequest<{ Body: { sessionId?: string } }>, 'caller' | 'body'>,
  options: InterpretOptions,
): Promise<Interpreted> {
  using computer = await openComputer(engine, caller, { name: body.sessionId ?? '' }, 'run')
  return await interpret(engine, computer, options)
}

/** Aborts when the connection is gone before the answer. Who sent a key will come back for it. */
function leaving(request: Pick<FastifyRequest, 'headers'>, reply: Pick<FastifyReply, 'raw'>): AbortSignal {
  const gone = new AbortController()
  if (!request.headers['idempotency-key'])
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort()
    })
  return gone.signal
}
