import type { SessionKind } from './session-kind.ts'

/** Processes of the computer over Connect, at the origin of this server. */
export const execSession: SessionKind = {
  entryOf: ({ origin, token }) => ({
    access_url: token === undefined ? origin : `${origin}?access_token=${token}`,
    connect_url: origin,
    transport: {
      protocol: 'connectrpc',
      auth: 'bearer',
      service: 'process.Process',
      base_path: '/process.Process/',
      capabilities: ['process'],
    },
  }),
}
