import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { OpenedShare } from '../../engine/computers/shares/open-share.ts'
import type { Share } from '../../engine/types.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { resolvedShareAnswer, shareAnswer } from './share-schemas.ts'

/** Returns a share as members see it. */
export function shareOf({ baseUrl }: Origin, share: Share): Static<typeof shareAnswer>['share'] {
  return {
    ...common(share),
    kind: 'link',
    share_url: share.token === null ? null : shareUrl(baseUrl, share.token),
    uses: share.uses,
    last_used_at: isoTimeOrNull(share.last_used_at),
    revoked_at: isoTimeOrNull(share.revoked_at),
  }
}

/** Returns a share as whoever has the link sees it: without how often others use it. */
export function resolvedShareOf(
  { baseUrl }: Origin,
  { share, computer: { row } }: OpenedShare,
): Static<typeof resolvedShareAnswer>['share'] {
  return {
    ...common(share),
    share_url: shareUrl(baseUrl, share.token),
    computer_handle: row.name ?? '',
    computer_display_name: row.display_name ?? row.name ?? '',
  }
}

type Origin = Pick<FastifyRequest, 'baseUrl'>

function common(share: Share) {
  return {
    id: share.id,
    computer_id: share.computer_id,
    allow_browser: share.allow_browser === 1,
    allow_vnc: share.allow_vnc === 1,
    expires_at: isoTimeOrNull(share.expires_at),
    created_at: isoTime(share.created_at),
  }
}

function shareUrl(origin: string, token: string): string {
  return `${origin}/share/${token}`
}
