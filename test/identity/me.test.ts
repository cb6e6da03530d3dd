import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestApp } from '../support/test-app.ts'
import { newAddress, signInByMail } from './outbox.ts'

describe('GET /v1/me', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
  })
  after(() => server.stop())

  const me = async (token: string) => {
    const { status, body } = await server.call('GET', '/v1/me', undefined, { token })
    assert.equal(status, 200)
    return body
  }

  test("has the fields of Agent Computer's document, for a user in the user's own workspace", async () => {
    const address = newAddress()
    const { computer_plan: plan, ...body } = await me(await signInByMail(server, address))
    assert.deepEqual(body, {
      id: body.id,
      clerk_user_id: body.id,
      primary_email: address,
      display_name: body.name,
      auth_method: 'session',
      clerk_api_key_id: null,
      active_org_id: null,
      active_org_role: null,
      active_org_slug: null,
      name: body.name,
      email: address,
      workspace_id: body.workspace_id,
      created_at: body.created_at,
    })
    const { credit_balance: credit, resource_limits: limits, ...more } = plan
    assert.ok(credit >= 0)
    assert.deepEqual(more, {
      feature_id: 'computers',
      access_status: credit > 0 ? 'active' : 'inactive',
      access_message: credit > 0 ? null : more.access_message,
      low_balance: credit < 50,
      auto_reload: {
        enabled: false,
        balance_threshold_cents: 0,
        reload_amount_cents: 0,
        monthly_spend_limit_cents: 0,
        monthly_reload_limit: 0,
      },
    })
    assert.deepEqual([limits.min_memory_mib, limits.max_storage_bytes], [2048, 250 * 1024 ** 3])
  })

  test('reports the workspace, the key and the spending limits', async () => {
    const person = await signInByMail(server)
    const { body: workspace } = await server.post('/v1/workspaces', { name: 'Shared' }, { token: person })
    const inside = `${person}~${workspace.workspace_id ?? workspace.id}`
    const { active_org_id: id, active_org_role: role, workspace_id: own } = await me(inside)
    assert.deepEqual([id, role], [own, 'owner'])
    const { body: key } = await server.post('/users/me/api-keys', {}, { token: inside })
    const limit = { monthly_limit_cents: 700 }
    assert.equal((await server.call('PATCH', '/v1/billing/preferences', limit, { token: inside })).status, 200)
    const body = await me(key.api_key)
    assert.deepEqual([body.auth_method, body.clerk_api_key_id, body.active_org_id], ['api_key', key.key_id, own])
    assert.equal(body.computer_plan.auto_reload.monthly_spend_limit_cents, 700)
    assert.equal(body.computer_plan.access_status, 'inactive', 'a workspace has no credit to begin with')
    assert.match(body.computer_plan.access_message, /\/topup/)
  })

  test('reports no limits to the owner of the machine', async () => {
    const { computer_plan: plan, active_org_id: id } = await me(server.token)
    assert.deepEqual([plan.access_status, plan.low_balance, id], ['active', false, null])
  })
})
