import type { FastifyRequest } from 'fastify'
import { limits } from '../../config/limits.ts'
import { assertWasPaid } from '../../engine/computers/credit/assert-credit.ts'
import type { Engine } from '../../engine/engine.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { interpret, type Interpreted, type InterpretOptions } from '../../engine/computers/interpreters/interpret.ts'
import type { App } from '../../http/app.ts'
import { clientLeft } from '../../http/client-left.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { timeLimitMs } from '../time-limit.ts'
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
            'Each sandbox has one kernel per language, which keeps variables between calls. Python matplotlib figures captured as base64 PNG, in order with printed output. The code is interrupted, and its variables are kept, at the timeout and when the client disconnects without having sent an Idempotency-Key. kernelRestarted is true if variables of earlier calls are gone, kernelLost if they were lost during this call, as with exit(). Output that does not fit into an answer is cut, and truncated is true.',
          example: { code: 'answer = 6 * 7\nanswer' },
        },
      },
    },
    async (request, reply) => {
      const { code, language = 'python', sessionId = '', timeout } = request.body
      const timeoutMs = timeLimitMs(timeout ?? limits.executeDefaultTimeoutMs)
      const signal = clientLeft(request, reply)
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
