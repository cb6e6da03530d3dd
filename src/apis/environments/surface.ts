import type { Surface } from '../../http/surface.ts'
import { accountRateLimits } from '../account-rate-limits.ts'
import answers from './example-answers.json' with { type: 'json' }
import { addAuthRoutes } from './auth-routes.ts'
import { addBillingRoutes } from './billing-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addDatasetRoutes } from './dataset-routes.ts'
import { addInteractionRoutes } from './interaction-routes.ts'
import { addSampleRoutes } from './sample-routes.ts'
import { addSessionRoutes } from './session-routes.ts'
import { addSessionFileRoutes } from './session-file-routes.ts'
import { addUserRoutes } from './user-routes.ts'
import { addWebhookRoutes } from './webhook-routes.ts'

/** The environments API: datasets, sessions on their samples, sign-in with GitHub, users and their keys, billing. */
export const environments: Surface = {
  name: 'environments',
  title: 'Environments',
  description:
    'The environments API: datasets, sessions on their samples, sign-in with GitHub, users and their API keys, and billing in cents.',
  prefixes: ['/auth', '/users', '/billing', '/datasets', '/samples', '/sessions'],
  envelope,
  answers,
  takesUnknownFields: true,
  instructions,
  rateLimits: accountRateLimits,
  topics: [
    { name: 'Sign-in', description: 'How users get a token.', skill: 'none', routes: [addAuthRoutes] },
    {
      name: 'Datasets',
      description: 'Datasets, and the samples that sessions are created from.',
      routes: [addSampleRoutes, addDatasetRoutes],
    },
    { name: 'Users', description: 'The user of a token, and API keys.', routes: [addUserRoutes] },
    {
      name: 'Sessions',
      description: 'Computers made from a sample, in which an agent works until their time to live is over.',
      routes: [addSessionRoutes, addInteractionRoutes, addSessionFileRoutes],
    },
    {
      name: 'Billing',
      description: 'How to pay for credit, with deposits and usage in cents.',
      skill: 'none',
      routes: [addBillingRoutes, addWebhookRoutes],
    },
    {
      name: 'Server',
      description: 'Health. Needs no token.',
      skill: 'none',
      routes: [],
      shared: ['GET /health'],
    },
  ],
}
