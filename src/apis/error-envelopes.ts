import type { ErrorEnvelope } from '../http/error-envelope.ts'
import * as agentComputer from './agent-computer/errors.ts'
import * as environments from './environments/errors.ts'
import { errorBody as paperpodBody } from './paperpod/errors.ts'
import { errorAnswer as paperpodAnswer } from './paperpod/schemas.ts'
import { codeOf as pawpadoCode, errorBody as pawpadoBody } from './pawpado/errors.ts'
import { errorAnswer as pawpadoAnswer } from './pawpado/schemas.ts'

/** The envelopes of all surfaces, for every address below them, whether there is a route or not. Carrel's own answers in PaperPod's. */
export const errorEnvelopes: readonly ErrorEnvelope[] = [
  { under: ['/api/v1'], name: 'PawpadoError', schema: pawpadoAnswer, body: pawpadoBody, codeOf: pawpadoCode },
  {
    under: ['/auth', '/users', '/billing', '/datasets', '/samples', '/sessions'],
    name: 'EnvironmentsError',
    schema: environments.errorAnswer,
    body: environments.errorBody,
    codeOf: environments.codeOf,
    statusOf: environments.statusOf,
    invalid: { name: 'EnvironmentsInvalid', schema: environments.invalidAnswer, status: 422 },
  },
  {
    under: ['/v1'],
    name: 'AgentComputerError',
    schema: agentComputer.errorAnswer,
    body: agentComputer.errorBody,
    codeOf: agentComputer.codeOf,
  },
  {
    under: ['', '/users/me/sessions', '/v1/workspaces', '/v1/exec'],
    name: 'Error',
    schema: paperpodAnswer,
    body: paperpodBody,
    codeOf: (code) => code.toUpperCase(),
  },
]
