import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { nullableText, nullableTime, object, time } from '../schema.ts'
import { kind, lifeSeconds } from './access-session-schemas.ts'
import { computerParams } from './computer-schemas.ts'

const days = limits.shareMs / (24 * 60 * 60 * 1000)
const allowBrowser = "Whether the link opens the computer's page: its terminal, files, ports and desktop"
const allowVnc = 'Whether the link opens the desktop alone; without allow_browser, for looking only'

const common = {
  id: Type.String(),
  computer_id: Type.String(),
  allow_browser: Type.Boolean({ description: allowBrowser }),
  allow_vnc: Type.Boolean({ description: allowVnc }),
  expires_at: nullableTime('Null for a share that lasts until it is deleted'),
  created_at: time(),
}

const share = object({
  ...common,
  kind: Type.Enum(['link']),
  share_url: nullableText('The link. Null once the server has lost the key that encrypts links; it still works then'),
  uses: Type.Integer({ description: 'How many sessions the link has opened' }),
  last_used_at: nullableTime('When the link last opened a session; null for never'),
  revoked_at: nullableTime('Always null: a deleted share is not shown'),
})

export const sharesAnswer = object({ shares: Type.Array(share) })
export const shareAnswer = object({ share })

export const resolvedShareAnswer = object({
  share: object({
    ...common,
    share_url: Type.String(),
    computer_handle: Type.String(),
    computer_display_name: Type.String(),
  }),
})

export const createShareBody = Type.Optional(
  object({
    allow_browser: Type.Optional(Type.Boolean({ description: `${allowBrowser}; true unless allow_vnc is` })),
    allow_vnc: Type.Optional(Type.Boolean({ description: `${allowVnc}; false by default` })),
    expires_at: Type.Optional(
      Type.String({
        description: `When the link stops working, at most ${days} days from now, as ISO 8601 with the offset from UTC; never by default`,
        maxLength: 64,
      }),
    ),
  }),
)

export const openShareBody = Type.Optional(
  object({
    kind: Type.Optional({ ...kind, description: 'One that the share allows; browser by default where it does' }),
    ttl_seconds: lifeSeconds,
  }),
)

export const shareParams = object({
  ...computerParams.properties,
  shareId: Type.String({ minLength: 1, maxLength: 128, examples: ['4tq8zk2m7w1x9c6v3n5h'] }),
})

/** Of any length and content: each token that opens nothing gets the same answer. */
export const shareTokenParams = object({
  token: Type.String({ examples: ['pp_share_0sGq3PPu7mXoA8m4wM1kVb2c9dE5fH6jLnRtYzQxWvU'] }),
})
