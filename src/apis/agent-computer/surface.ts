import type { Surface } from '../../http/surface.ts'
import { accountRateLimits } from '../account-rate-limits.ts'
import answers from './example-answers.json' with { type: 'json' }
import { addBillingRoutes } from './billing-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addMeRoutes } from './me-routes.ts'
import { addUsageRoutes } from './usage-routes.ts'

/** Agent Computer's API: the account, its usage and its spending limits. */
export const agentComputer: Surface = {
  name: 'agent-computer',
  title: 'Agent Computer',
  description: 'The Agent Computer API: the account, its usage and its spending limits.',
  prefixes: ['/v1'],
  envelope,
  answers,
  takesUnknownFields: true,
  instructions,
  rateLimits: accountRateLimits,
  topics: [
    { name: 'Account', description: 'The account of a token.', routes: [addMeRoutes] },
    {
      name: 'Billing',
      description: 'The usage of the account, and the spending limits of the account and of its API keys.',
      routes: [addUsageRoutes, addBillingRoutes],
    },
  ],
}
