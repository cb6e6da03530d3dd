import type { Surface } from '../../http/surface.ts'
import { accountRateLimits } from '../account-rate-limits.ts'
import answers from './example-answers.json' with { type: 'json' }
import { addBalanceRoutes } from './balance-routes.ts'
import { addDiscoveryRoutes } from './discovery-routes.ts'
import { addDownloadRoutes } from './download-routes.ts'
import { envelope, instructions } from './errors.ts'
import { addExecuteRoutes } from './execute-routes.ts'
import { addExposeRoutes } from './expose-routes.ts'
import { addFileRoutes } from './file-routes.ts'
import { guide } from './guide.ts'
import { addHealthRoutes } from './health-routes.ts'
import { addInterpretRoutes } from './interpret-routes.ts'
import { limitFacts } from './limit-facts.ts'
import { addMemoryRoutes } from './memory-routes.ts'
import { addProcessRoutes } from './process-routes.ts'
import { addRawUploadRoutes } from './raw-upload-routes.ts'
import { addSignInRoutes } from './sign-in-routes.ts'
import { addSocketRoutes } from './socket-routes.ts'
import { addTopUpRoutes } from './topup-routes.ts'
import { addUploadRoutes } from './upload-routes.ts'
import { addWatchRoutes } from './watch-routes.ts'

/** PaperPod's API, according to its document of 2026-01-26 (API v2). */
export const paperpod: Surface = {
  name: 'paperpod',
  title: 'PaperPod',
  description:
    'The PaperPod API: run code and processes in sandboxes, work with files, preview servers, and keep small files in memory.',
  prefixes: [
    ...['/', '/health', '/execute', '/interpret', '/files', '/watch', '/process', '/expose', '/browser', '/ai'],
    ...['/memory', '/balance', '/topup', '/login', '/ws'],
  ],
  absent: [
    ...['content', 'markdown', 'pdf', 'scrape', 'screenshot'].map((name) => `POST /browser/${name}`),
    ...['embed', 'generate', 'image', 'transcribe'].map((name) => `POST /ai/${name}`),
    'GET /ai/models',
  ],
  signInPath: '/login',
  envelope,
  answers,
  takesUnknownFields: true,
  instructions,
  rateLimits: accountRateLimits,
  guide,
  limits: limitFacts,
  example: 'POST /execute',
  topics: [
    {
      name: 'Code',
      description: 'Run programs to completion, with the output at the end or as a stream.',
      routes: [addExecuteRoutes, addInterpretRoutes],
    },
    {
      name: 'Files',
      description: 'Read, write, list and watch the files of a sandbox, running or not.',
      routes: [addFileRoutes, addUploadRoutes, addRawUploadRoutes, addDownloadRoutes, addWatchRoutes],
    },
    {
      name: 'Processes',
      description: 'Start programs that keep running, follow them and stop them.',
      routes: [addProcessRoutes],
    },
    {
      name: 'Previews',
      description: 'Public URLs for the ports on which servers in a sandbox listen.',
      routes: [addExposeRoutes],
    },
    {
      name: 'Memory',
      description: 'Small files of an account that outlive every sandbox.',
      routes: [addMemoryRoutes],
    },
    {
      name: 'Credit',
      description: 'The credit of an account, and how to add to it.',
      skill: 'brief',
      routes: [addBalanceRoutes, addTopUpRoutes],
    },
    {
      name: 'Sign-in',
      description: 'How users and agents get a token.',
      skill: 'none',
      routes: [addSignInRoutes],
      shared: ['POST /auth/refresh'],
    },
    { name: 'WebSocket', description: 'One connection for all requests and events.', routes: [addSocketRoutes] },
    {
      name: 'Server',
      description: 'What this server is, and its documentation in several forms. None of it needs a token.',
      skill: 'none',
      routes: [addDiscoveryRoutes, addHealthRoutes],
      shared: ['GET /docs', 'GET /SKILL.md', 'GET /.well-known/skill.md'],
    },
  ],
}
