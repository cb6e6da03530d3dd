import type { Surface } from '../../http/surface.ts'
import { addDocs } from '../../http/docs/routes.ts'
import { addOpenApiRoutes } from '../../http/openapi-routes.ts'
import { addCliSignIn } from '../../http/pages/cli-sign-in/routes.ts'
import { addPageAssets } from '../../http/pages/routes.ts'
import { addSignInPages } from '../../http/pages/sign-in-routes.ts'
import { addStatusPage } from '../../http/pages/status/routes.ts'
import { accountRateLimits } from '../account-rate-limits.ts'
import answers from './example-answers.json' with { type: 'json' }
import { envelope, instructions } from './errors.ts'
import { addExecRoutes } from './exec-routes.ts'
import { addInvitationRoutes } from './invitation-routes.ts'
import { addIssuerRoutes } from './issuer-routes.ts'
import { addMemberRoutes } from './member-routes.ts'
import { addPaymentRoutes } from './payment-routes.ts'
import { addSandboxRoutes } from './sandbox-routes.ts'
import { addSessionRoutes } from './session-routes.ts'
import { addWorkspaceDeletionRoutes } from './workspace-deletion-routes.ts'
import { addWorkspaceRoutes } from './workspace-routes.ts'

/** Carrel's own API, and every address that belongs to no other surface. */
export const carrel: Surface = {
  name: 'carrel',
  title: 'Carrel',
  description:
    "Carrel's own API: terminals and pipes over a WebSocket, the list of sandboxes, shared workspaces, and sign-ins.",
  prefixes: [
    ...['', '/v1/exec', '/v1/sandboxes', '/v1/workspaces', '/users/me/sessions'],
    ...['/billing/pay', '/billing/return', '/billing/cancel'],
  ],
  envelope,
  answers,
  takesUnknownFields: false,
  instructions,
  rateLimits: accountRateLimits,
  topics: [
    {
      name: 'Programs',
      description: 'Run a program with a terminal or pipes, from start to exit.',
      routes: [addExecRoutes],
    },
    {
      name: 'Sandboxes',
      description: 'List, stop and delete the sandboxes of the account.',
      skill: 'brief',
      routes: [addSandboxRoutes],
    },
    {
      name: 'Workspaces',
      description: 'Computers, keys and credit that several users share.',
      skill: 'brief',
      routes: [addWorkspaceRoutes, addWorkspaceDeletionRoutes, addMemberRoutes, addInvitationRoutes],
    },
    {
      name: 'Sign-ins',
      description: "List a user's sign-ins, and sign out.",
      skill: 'brief',
      routes: [addSessionRoutes, addSignInPages, addCliSignIn],
    },
    {
      name: 'Payments',
      description: 'The pages of a payment.',
      skill: 'none',
      routes: [addPaymentRoutes],
    },
    {
      name: 'Server',
      description: 'The documentation of every API, and the keys for verifying tokens.',
      skill: 'none',
      routes: [addDocs, addPageAssets, addStatusPage, addOpenApiRoutes, addIssuerRoutes],
    },
  ],
}
