export interface Topic {
  name: string
  /** One sentence. */
  description: string
  /** First parts of the paths that belong to it; under `v1` the first two, under `api` three. */
  paths: readonly string[]
}

/** How the reference groups routes, in its order. */
export const topics: readonly Topic[] = [
  {
    name: 'Code',
    description: 'Run programs to their end, at once or with their output as it comes.',
    paths: ['execute', 'interpret'],
  },
  {
    name: 'Files',
    description: 'Read, write, list and watch the files of a sandbox, running or not.',
    paths: ['files', 'watch'],
  },
  { name: 'Processes', description: 'Programs that stay: start, follow and stop them.', paths: ['process'] },
  { name: 'Previews', description: 'Addresses for the ports that servers in a sandbox listen on.', paths: ['expose'] },
  { name: 'Memory', description: 'Small files of an account that outlive every sandbox.', paths: ['memory'] },
  {
    name: 'Credit',
    description: 'What is left of an account, what it used, and how to add to it.',
    paths: ['balance', 'topup', 'v1/usage', 'v1/billing'],
  },
  {
    name: 'Billing',
    description: 'How a person pays for credit, and what was paid and used in cents.',
    paths: ['billing', 'api/v1/credits', 'api/v1/billing'],
  },
  { name: 'Sign-in', description: 'How people get a token.', paths: ['login', 'auth'] },
  {
    name: 'Accounts',
    description: 'Keys, preferences, who a token stands for, and how to leave.',
    paths: ['users', 'v1/me', 'api/v1/settings', 'api/v1/session', 'api/v1/account'],
  },
  {
    name: 'Workspaces',
    description: 'Computers, keys and credit that several people share.',
    paths: ['v1/workspaces', 'invitation'],
  },
  { name: 'WebSocket', description: 'One connection for everything.', paths: ['ws'] },
  {
    name: 'Server',
    description: 'What this server is, and its documentation in several forms. None of it needs a token.',
    paths: [],
  },
]

/** The topic of a route; what none claims belongs to the last one. */
export function topicOf(path: string): Topic {
  const parts = path.split('/').slice(1)
  const part = parts.slice(0, counts[parts[0] ?? ''] ?? 1).join('/')
  return topics.find(({ paths }) => paths.includes(part)) ?? topics.at(-1)!
}

/** How many parts of a path tell what it is about, by its first one. */
const counts: Record<string, number> = { v1: 2, api: 3 }
