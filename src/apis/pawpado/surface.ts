import type { Surface } from '../../http/surface.ts'
import answers from './example-answers.json' with { type: 'json' }
import { addAccountRoutes } from './account-routes.ts'
import { addCreditRoutes } from './credit-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addHealthRoutes } from './health-routes.ts'
import { addOpenApiRoutes } from './openapi-routes.ts'
import { addSessionRoutes } from './session-routes.ts'
import { addSettingsRoutes } from './settings-routes.ts'
import { addTopUpRoutes } from './topup-routes.ts'

/** Pawpado's API: credit, preferences, the identity of the user, and deletion of the account. */
export const pawpado: Surface = {
  name: 'pawpado',
  title: 'Pawpado',
  description: 'The Pawpado API: the credit, the preferences and the deletion of an account.',
  prefixes: ['/api/v1'],
  envelope,
  answers,
  takesUnknownFields: true,
  instructions,
  // As in its document: every request of a user counts, and every answer says how many requests are left.
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
      description: 'The credit that is left, how to pay for more, and the cost of storage.',
      routes: [addCreditRoutes, addTopUpRoutes],
    },
    {
      name: 'Account',
      description: 'Preferences, the user of a token, and deletion of the account.',
      routes: [addSettingsRoutes, addSessionRoutes, addAccountRoutes],
    },
    {
      name: 'Server',
      description: 'Health and API reference. Neither needs a token.',
      skill: 'none',
      routes: [addHealthRoutes, addOpenApiRoutes],
    },
  ],
}
