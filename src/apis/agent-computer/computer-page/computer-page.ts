import type { Surface } from '../../../http/surface.ts'
import { accountRateLimits } from '../../account-rate-limits.ts'
import { envelope, instructions } from '../errors.ts'
import { addDesktopRoutes } from './desktop-routes.ts'
import { addDocumentRoutes } from './document-routes.ts'
import { addFactsRoutes } from './facts-routes.ts'
import { addFileRoutes } from './file-routes.ts'
import { addPortRoutes } from './port-routes.ts'
import { addProcessRoutes } from './process-routes.ts'
import { addTerminalRoutes } from './terminal-routes.ts'

/**
 * The page of a computer, at an origin of its own. It is served like a surface, but published in no document: its only
 * client is the page itself.
 */
export const computerPage: Surface = {
  name: 'computer-page',
  title: 'Page of a computer',
  description: 'What the page of a computer asks of the server.',
  prefixes: [''],
  envelope,
  takesUnknownFields: false,
  instructions,
  rateLimits: accountRateLimits,
  topics: [
    {
      name: 'Page',
      description: 'The page of a computer.',
      routes: [
        addDocumentRoutes,
        addFactsRoutes,
        addProcessRoutes,
        addPortRoutes,
        addFileRoutes,
        addTerminalRoutes,
        addDesktopRoutes,
      ],
    },
  ],
}
