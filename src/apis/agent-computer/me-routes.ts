import type { Static } from 'typebox'
import type { Authenticated } from '../../engine/identity/accounts/tokens.ts'
import { profileOf } from '../../engine/identity/accounts/users.ts'
import { creditLeft } from '../../engine/money/credit/credit-left.ts'
import { isUnbilled } from '../../engine/money/credit/is-unbilled.ts'
import { readLimits } from '../../engine/identity/workspaces/workspace-limits.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { isoTime } from '../iso-time.ts'
import { autoReloadOf } from './mapping.ts'
import { resourceLimitsOf } from './resource-limits.ts'
import { meAnswer } from './schemas.ts'

export function addMeRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/me',
    {
      schema: { response: { 200: meAnswer } },
      config: {
        scope: 'any',
        documentation: {
          description: 'Read the current account',
        },
      },
    },
    async ({ caller }): Promise<Static<typeof meAnswer>> => {
      const { id, ownAccountId, name, email, createdAtMs, deleteAtMs } = await profileOf(engine, caller)
      const isKey = caller.kind === 'api_key'
      const isShared = caller.accountId !== ownAccountId
      return {
        id,
        clerk_user_id: id,
        primary_email: email ?? '',
        display_name: name,
        auth_method: isKey ? 'api_key' : 'session',
        clerk_api_key_id: isKey ? caller.tokenId : null,
        active_org_id: isShared ? caller.accountId : null,
        active_org_role: isShared ? caller.role : null,
        active_org_slug: null,
        computer_plan: await planOf(engine, caller),
        name,
        email: email ?? '',
        workspace_id: caller.accountId,
        created_at: isoTime(createdAtMs),
        ...(deleteAtMs === null ? {} : { delete_at: isoTime(deleteAtMs) }),
      }
    },
  )
}

async function planOf(engine: Engine, { accountId }: Authenticated) {
  const { prices } = engine
  const leftMicros = await creditLeft(engine, accountId)
  const isFree = isUnbilled(engine, accountId)
  const isActive = isFree || leftMicros > -prices.overdraftMicros
  return {
    feature_id: 'computers',
    access_status: isActive ? ('active' as const) : ('inactive' as const),
    access_message: isActive ? null : `There is no credit left; ${engine.server.links.topUp()} shows how to add credit`,
    credit_balance: leftMicros / microsPerCent,
    low_balance: !isFree && leftMicros < prices.lowBalanceMicros,
    auto_reload: autoReloadOf(await readLimits(engine, accountId)),
    resource_limits: resourceLimitsOf(engine),
  }
}

const microsPerCent = 10_000
