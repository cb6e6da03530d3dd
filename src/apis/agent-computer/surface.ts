import type { Surface } from '../../http/surface.ts'
import { accountRateLimits } from '../account-rate-limits.ts'
import { addBillingRoutes } from './billing-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addMeRoutes } from './me-routes.ts'
import { addUsageRoutes } from './usage-routes.ts'

/** Agent Computer's API: the account, what it used and what it may spend. */
export const agentComputer: Surface = {
  name: 'agent-computer',
  title: 'Agent Computer',
  description: 'The account, what it used and what it may spend: the Agent Computer API.',
  prefixes: ['/v1'],
  envelope,
  instructions,
  rateLimits: accountRateLimits,
  topics: [
    { name: 'Account', description: 'Who a token stands for.', routes: [addMeRoutes] },
    {
      name: 'Billing',
      description: 'What the account used, and what it and each of its keys may spend.',
      routes: [addUsageRoutes, addBillingRoutes],
    },
  ],
}
