import type { Surface } from '../../http/surface.ts'
import { addAccountRoutes } from './account-routes.ts'
import { addCreditRoutes } from './credit-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addHealthRoutes } from './health-routes.ts'
import { addOpenApiRoutes } from './openapi-routes.ts'
import { addSessionRoutes } from './session-routes.ts'
import { addSettingsRoutes } from './settings-routes.ts'
import { addTopUpRoutes } from './topup-routes.ts'

/** Pawpado's API: credit, settings, who one is, and how to leave. */
export const pawpado: Surface = {
  name: 'pawpado',
  title: 'Pawpado',
  description: 'The account that streams: its credit, its settings, and how to leave: the Pawpado API.',
  prefixes: ['/api/v1'],
  envelope,
  instructions,
  // As its document has it: every request of a user counts, and every answer says what is left.
  rateLimits: {
    by: 'user',
    perMinute: ({ pawpadoReadsPerMinute, pawpadoWritesPerMinute, pawpadoPollsPerMinute }) => ({
      read: pawpadoReadsPerMinute,
      write: pawpadoWritesPerMinute,
      poll: pawpadoPollsPerMinute,
    }),
    limitsOwner: true,
    countsUnknown: true,
  },
  topics: [
    {
      name: 'Billing',
      description: 'What credit is left, how a user pays for more, and what storage costs.',
      routes: [addCreditRoutes, addTopUpRoutes],
    },
    {
      name: 'Account',
      description: 'Preferences, who a token stands for, and how to leave.',
      routes: [addSettingsRoutes, addSessionRoutes, addAccountRoutes],
    },
    {
      name: 'Server',
      description: 'Whether the server is there, and its reference. Neither needs a token.',
      skill: 'none',
      routes: [addHealthRoutes, addOpenApiRoutes],
    },
  ],
}
