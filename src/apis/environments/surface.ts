import type { Surface } from '../../http/surface.ts'
import { accountRateLimits } from '../account-rate-limits.ts'
import { addAuthRoutes } from './auth-routes.ts'
import { addBillingRoutes } from './billing-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addUserRoutes } from './user-routes.ts'
import { addWebhookRoutes } from './webhook-routes.ts'

/** The environments API: sign-in by GitHub, users and their keys, billing. */
export const environments: Surface = {
  name: 'environments',
  title: 'Environments',
  description: 'Sign-in by GitHub, users with their API keys, and billing in cents: the environments API.',
  prefixes: ['/auth', '/users', '/billing', '/datasets', '/samples', '/sessions'],
  envelope,
  instructions,
  rateLimits: accountRateLimits,
  topics: [
    { name: 'Sign-in', description: 'How users get a token.', skill: 'none', routes: [addAuthRoutes] },
    { name: 'Users', description: 'Who a token stands for, and API keys.', routes: [addUserRoutes] },
    {
      name: 'Billing',
      description: 'How a user pays for credit, and what was paid and used in cents.',
      skill: 'none',
      routes: [addBillingRoutes, addWebhookRoutes],
    },
    {
      name: 'Server',
      description: 'Whether the server is there. It needs no token.',
      skill: 'none',
      routes: [],
      shared: ['GET /health'],
    },
  ],
}
