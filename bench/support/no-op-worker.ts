import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { transaction } from '../../src/db/transaction.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { insertToken } from '../../src/engine/identity/accounts/tokens.ts'
import { signIn } from '../../src/engine/identity/auth/sign-in.ts'
import { bareApp } from '../../test/support/route-app.ts'
import { testEngine } from '../../test/support/test-engine.ts'

/**
 * The server's own app with two routes that do nothing, one of which requires a token, over a database of 10,000
 * tokens. Argument: a folder. Prints `{ port, session, access, shared }`: a session token, an access token and a
 * session token in another workspace.
 */
const [folder = ''] = process.argv.slice(2)
const db = await openDatabase(join(folder, 'carrel.db'))
const engine = await testEngine({ db, env: process.env })
await engine.driver.close()

const { userId, accountId } = await signIn(engine, {
  provider: 'email',
  subject: 'bench@example.com',
  name: 'bench',
  email: 'bench@example.com',
  emailIsVerified: true,
})
const workspaceId = await createAccount(db, 'shared', userId)
await db
  .insertInto('memberships')
  .values({ account_id: workspaceId, user_id: userId, role: 'member', created_at: Date.now() })
  .execute()
await transaction(db, 'operational', async (trx) => {
  for (let count = 0; count < 10_000; count++)
    await insertToken(trx, { accountId, userId, kind: 'api_key', name: `${count}` })
})
const { secret } = await insertToken(db, { accountId, userId, kind: 'session', name: 'bench' })
const { row } = await insertToken(db, { accountId, userId, kind: 'family', name: 'bench', lifeMs: 3_600_000 })

const app = await bareApp(engine)
app.get('/open', { config: { public: true } }, async () => ({ ok: true }))
app.get('/closed', async () => ({ ok: true }))
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(
  `${JSON.stringify({
    port: (app.server.address() as AddressInfo).port,
    session: secret,
    access: await engine.accessTokens.issue(userId, row.id),
    shared: `${secret}~${workspaceId}`,
  })}\n`,
)
process.once('SIGTERM', () => process.exit(0))
