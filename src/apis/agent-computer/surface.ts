import type { Surface } from '../../http/surface.ts'
import { accountRateLimits } from '../account-rate-limits.ts'
import answers from './example-answers.json' with { type: 'json' }
import { addAccessSessionRoutes } from './access-session-routes.ts'
import { addCatalogRoutes } from './catalog-routes.ts'
import { addChangeRoutes } from './change-routes.ts'
import { addComputerRoutes } from './computer-routes.ts'
import { addGatewayRoutes } from './exec-gateway/gateway-routes.ts'
import { addExecRoutes } from './exec-routes.ts'
import { addFileRoutes } from './file-routes.ts'
import { addOperationRoutes } from './operation-routes.ts'
import { addBillingRoutes } from './billing-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addComputerUsageRoutes } from './computer-usage-routes.ts'
import { addPortRoutes } from './port-routes.ts'
import { addMeRoutes } from './me-routes.ts'
import { addPublicShareRoutes } from './public-share-routes.ts'
import { addShareRoutes } from './share-routes.ts'
import { addStatusRoutes } from './status-routes.ts'
import { addSshKeyRoutes } from './ssh-key-routes.ts'
import { addSshRoutes } from './ssh-routes.ts'
import { addSnapshotRoutes } from './snapshot-routes.ts'
import { addUsageRoutes } from './usage-routes.ts'

/** Agent Computer's API: computers that keep their files, the account, its usage and its spending limits. */
export const agentComputer: Surface = {
  name: 'agent-computer',
  title: 'Agent Computer',
  description:
    'The Agent Computer API: computers that keep their files, the account, its usage and its spending limits.',
  prefixes: ['/v1', '/process.Process', '/share', '/healthz', '/readyz'],
  envelope,
  answers,
  takesUnknownFields: true,
  instructions,
  rateLimits: accountRateLimits,
  topics: [
    {
      name: 'Computers',
      description: 'Computers that keep their files until they are deleted.',
      routes: [addComputerRoutes, addChangeRoutes, addExecRoutes, addFileRoutes, addOperationRoutes],
    },
    {
      name: 'Access',
      description: 'Short-lived access to one computer, by a token of its own.',
      routes: [addAccessSessionRoutes, addGatewayRoutes],
    },
    {
      name: 'Shares',
      skill: 'brief',
      description: 'Links that open one computer for whoever has them, until they expire or are deleted.',
      routes: [addShareRoutes, addPublicShareRoutes],
    },
    {
      name: 'Snapshots',
      description: 'The files of a computer at one moment, and computers that are created from them.',
      routes: [addSnapshotRoutes],
    },
    {
      name: 'Images and sizes',
      skill: 'brief',
      description: 'What computers are created from, and what the host has room for.',
      routes: [addCatalogRoutes],
    },
    {
      name: 'Ports',
      description: 'Ports of computers with stable public addresses.',
      routes: [addPortRoutes],
    },
    {
      name: 'SSH',
      skill: 'brief',
      description: 'Keys and certificates for SSH.',
      routes: [addSshKeyRoutes, addSshRoutes],
    },
    { name: 'Account', description: 'The account of a token.', routes: [addMeRoutes] },
    {
      name: 'Billing',
      skill: 'brief',
      description: 'The usage of the account, and the spending limits of the account and of its API keys.',
      routes: [addUsageRoutes, addComputerUsageRoutes, addBillingRoutes],
    },
    {
      name: 'Status',
      description: 'How the server works now, and how it has worked. None of it needs a token.',
      skill: 'brief',
      routes: [addStatusRoutes],
    },
  ],
}
