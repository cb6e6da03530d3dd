import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { newAddress, signInByMail } from '../identity/outbox.ts'
import { SocketClient } from '../paperpod/socket-client.ts'
import { appRoutes, nameOf, type AppRoute } from '../support/app-routes.ts'
import { addSample } from '../support/sample.ts'
import { newSession, TestServer, until, type Answer } from '../support/server.ts'
import { storedText } from '../support/stored-text.ts'
import { withDatabase } from '../support/with-database.ts'

/** What the first account has, and the second one tries to get by naming it. */
interface Owned {
  sessionId: string
  sandboxId: string
  processName: string
  processId: string
  executed: string
  path: string
  memoryPath: string
  port: number
  previewUrl: string
  keyId: string
  workspaceId: string
  userId: string
  invitationId: string
  handle: string
  computerId: string
  operationId: string
  sshKeyId: string
  snapshotId: string
  environmentId: string
  interactionId: string
}

const secret = 'only the first account knows this'
const settings = { CARREL_PLAY_MONEY: 'on', CARREL_SIGN_INS_PER_MINUTE: '0' }
/** A HEAD request is answered like its GET, without the body. */
const routes = (await appRoutes(settings)).filter(({ method }) => method !== 'HEAD')
const namesOf = (some: AppRoute[]) => some.map(nameOf).toSorted()

/** Creates a session of the first account that is ready, with an interaction. */
async function ownSession(server: TestServer, computerId: string) {
  const sample = await withDatabase(async (db) => {
    const { image } = await db
      .selectFrom('computers')
      .select('image')
      .where('id', '=', computerId)
      .executeTakeFirstOrThrow()
    return addSample(db, { source: { image } })
  })
  const { body } = await server.post('/sessions', sample)
  const environmentId = body.session_id as string
  await until(
    async () => (await server.call('GET', `/sessions/${environmentId}`)).body.status,
    (status) => status === 'ready',
  )
  const { body: exec } = await server.post(`/sessions/${environmentId}/exec`, { command: `echo ${secret}` })
  return { environmentId, interactionId: exec.interaction_id as string }
}

describe('two accounts', { timeout: 300_000 }, () => {
  let server: TestServer
  let other: string
  let owned: Owned

  before(async () => {
    server = await TestServer.start({ env: settings })
    other = await server.newAccount('second')
    const sessionId = newSession()
    const path = '/workspace/secret.txt'
    await server.post('/files/write', { path, content: secret, sessionId })
    await server.post('/memory/write', { path: `memory-${sessionId}`, content: secret })
    const { body } = await server.post('/process/start', {
      command: `echo ${secret}; sleep 600`,
      processId: 'web',
      sessionId,
    })
    const executed = await server.post('/execute', { code: `echo ${secret}`, language: 'shell', sessionId })
    const exposed = await server.post('/expose', { port: 8080, sessionId })
    const key = await server.post('/users/me/api-keys', { name: secret })
    const { body: workspaces } = await server.call('GET', '/v1/workspaces')
    const invitation = await server.post('/v1/workspaces/current/invitations', { email: newAddress() })
    const person = await signInByMail(server)
    const handle = `owned-${Date.now().toString(36)}`
    const created = await server.post('/v1/computers', { handle })
    assert.equal(created.status, 202, JSON.stringify(created.body))
    const publicKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA${randomBytes(32).toString('base64').slice(0, 42)}`
    const sshKey = await server.post('/v1/ssh-keys', { public_key: publicKey, name: secret })
    assert.equal(sshKey.status, 201, JSON.stringify(sshKey.body))
    await until(
      async () => (await server.call('GET', `/v1/computers/${handle}`)).body,
      ({ computer, operation }) => computer.state === 'running' && operation === undefined,
    )
    const snapshot = await server.post(`/v1/computers/${handle}/snapshots`, {})
    assert.equal(snapshot.status, 202, JSON.stringify(snapshot.body))
    owned = {
      sessionId,
      sandboxId: /^http:\/\/\d+-([0-9a-z]+)-/.exec(exposed.body.url)![1]!,
      processName: 'web',
      processId: body.id,
      executed: executed.body.processId,
      path,
      memoryPath: `memory-${sessionId}`,
      port: 8080,
      previewUrl: exposed.body.url,
      keyId: key.body.key_id,
      workspaceId: workspaces.current,
      userId: (await server.call('GET', '/users/me', undefined, { token: person })).body.user_id,
      invitationId: invitation.body.invitation_id,
      handle,
      computerId: created.body.computer.id,
      operationId: created.body.operation.id,
      sshKeyId: sshKey.body.ssh_key.id,
      snapshotId: snapshot.body.snapshot.id,
      ...(await ownSession(server, created.body.computer.id)),
    }
  })
  after(async () => {
    await server.post('/process/kill', { processId: owned.processId, sessionId: owned.sessionId })
    await server.stop()
  })

  /** Everything with an id. */
  const ids = () => {
    const {
      processName: _,
      path: _path,
      memoryPath: _memory,
      port: _port,
      previewUrl: _url,
      handle: _handle,
      ...withId
    } = owned
    return withId
  }
  const asOther = (route: string, body: Record<string, unknown> = {}) => server.post(route, body, { token: other })
  /** A payment is for who began it, whoever pays; its page tells nothing of the account. */
  const paysForItself = async (route: string, body: Record<string, unknown>) => {
    const credit = async (token: string) =>
      (await server.call('GET', '/billing/balance', undefined, { token })).body.balance
    const own = await server.newAccount()
    const before = await credit(server.token)
    const { body: begun } = await server.post(route, body, { token: own })
    const { pathname } = new URL(begun.checkout_url ?? begun.checkoutUrl)
    const page = await server.call('GET', pathname, undefined, { token: null })
    assert.match(page.body, /Pay \$9\.00/)
    const { body: profile } = await server.call('GET', '/users/me', undefined, { token: own })
    assert.ok(!page.body.includes(profile.user_id))
    assert.equal((await server.call('POST', pathname, undefined, { token: server.token })).status, 200)
    assert.deepEqual([await credit(own), await credit(server.token)], [500 + 900, before])
  }
  /** Calls a method of the exec gateway for a computer of the second account. */
  const atGateway = async (method: string, body: Record<string, unknown> = {}) => {
    const { body: mine } = await asOther('/v1/computers')
    const { body: created } = await until(
      () => asOther(`/v1/computers/${mine.computer.id}/access-sessions`, { kind: 'exec' }),
      ({ status }) => status === 201,
    )
    const answer = await server.post(`/process.Process/${method}`, body, { token: created.session.connect_token })
    await server.call('DELETE', `/v1/computers/${mine.computer.id}`, undefined, { token: other })
    return answer
  }
  const isMissing = ({ status, body }: Answer) => {
    assert.deepEqual([status, body.code], [404, 'NOT_FOUND'])
    assert.ok(!JSON.stringify(body).includes(secret))
  }

  /** The sandbox of the first account runs, with its process and its file. */
  const isUntouched = async () => {
    const { sessionId, path } = owned
    const { body } = await server.post('/process/get', { processId: 'web', sessionId })
    const { body: file } = await server.post('/files/read', { path, sessionId })
    assert.deepEqual([body.process.status, file.content], ['running', secret])
  }

  /** For each route that needs a token: what one account gets that names all that another has. */
  const attempts: Record<string, () => Promise<void>> = {
    'POST /execute': async () => {
      const { status, body } = await asOther('/execute', {
        code: `cat ${owned.path}; hostname; ps aux`,
        language: 'shell',
        sessionId: owned.sessionId,
      })
      assert.equal(status, 200)
      assert.ok(!body.result.stdout.includes(secret))
      const own = await server.shell('hostname', { sessionId: owned.sessionId })
      assert.ok(!body.result.stdout.includes(own.stdout.trim()), 'it is the same computer')
    },
    'POST /execute/stream': async () => {
      const { status, body } = await asOther('/execute/stream', {
        code: `cat ${owned.path} || true`,
        language: 'shell',
        sessionId: owned.sessionId,
      })
      assert.equal(status, 200)
      assert.ok(body.includes('event: complete') && !body.includes(secret))
    },
    'POST /interpret': async () => {
      const { status, body } = await asOther('/interpret', {
        code: `import os; os.path.exists(${JSON.stringify(owned.path)}) and open(${JSON.stringify(owned.path)}).read()`,
        sessionId: owned.sessionId,
      })
      assert.equal(status, 200)
      assert.ok(!JSON.stringify(body).includes(secret))
    },
    'POST /watch': async () => {
      const leaving = new AbortController()
      const response = await fetch(`${server.url}/watch`, {
        method: 'POST',
        headers: { authorization: `Bearer ${other}`, 'content-type': 'application/json' },
        body: JSON.stringify({ path: '/workspace', sessionId: owned.sessionId }),
        signal: leaving.signal,
      })
      assert.equal(response.status, 200)
      const seen: string[] = []
      const reading = (async () => {
        for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) seen.push(chunk)
      })().catch(() => {})
      await server.shell('touch /workspace/of-the-first', { sessionId: owned.sessionId })
      await asOther('/execute', { code: 'touch of-the-second', language: 'shell', sessionId: owned.sessionId })
      await until(
        () => seen.join(''),
        (text) => text.includes('of-the-second'),
      )
      leaving.abort()
      await reading
      assert.ok(!seen.join('').includes('of-the-first'))
    },
    'GET /ws': async () => {
      const client = await SocketClient.open(server, { token: other })
      const answer = await client.ask({ type: 'process', action: 'list', sessionId: owned.sessionId })
      assert.ok(!JSON.stringify(answer).includes(owned.processId))
      await client.close()
    },
    'GET /v1/exec': async () => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/exec`, {
        headers: { authorization: `Bearer ${other}` },
      })
      await once(socket, 'open')
      socket.send(JSON.stringify({ type: 'attach', processId: owned.processId, sessionId: owned.sessionId }))
      const [data] = (await once(socket, 'message')) as [Buffer]
      const message = JSON.parse(data.toString())
      assert.deepEqual([message.type, message.code], ['error', 'NOT_FOUND'])
      socket.terminate()
    },
    'POST /ws/ticket': async () => {
      const { body } = await asOther('/ws/ticket')
      const client = await SocketClient.open(server, { token: null, path: `/ws?ticket=${body.ticket}` })
      const answer = await client.ask({ type: 'memory_read', path: owned.memoryPath })
      assert.ok(!JSON.stringify(answer).includes(secret))
      await client.close()
    },
    'POST /ws/session': async () => {
      const { body } = await asOther('/ws/session')
      const client = await SocketClient.open(server, { token: null, path: `/ws?token=${body.token}` })
      const answer = await client.ask({ type: 'memory_read', path: owned.memoryPath })
      assert.ok(!JSON.stringify(answer).includes(secret))
      await client.close()
    },
    'POST /files/write': async () => {
      const { status } = await asOther('/files/write', {
        path: owned.path,
        content: 'from the second',
        sessionId: owned.sessionId,
      })
      assert.equal(status, 200)
      const { body } = await server.post('/files/read', { path: owned.path, sessionId: owned.sessionId })
      assert.equal(body.content, secret)
    },
    'POST /files/read': async () => {
      const own = await server.newAccount()
      isMissing(await server.post('/files/read', { path: owned.path, sessionId: owned.sessionId }, { token: own }))
    },
    'POST /files/list': async () => {
      const own = await server.newAccount()
      const { body } = await server.post(
        '/files/list',
        { path: '/workspace', sessionId: owned.sessionId },
        { token: own },
      )
      assert.deepEqual(body.files, [])
    },
    'POST /files/mkdir': async () => {
      await asOther('/files/mkdir', { path: '/workspace/made-by-second', sessionId: owned.sessionId })
      const { body } = await server.post('/files/list', { path: '/workspace', sessionId: owned.sessionId })
      assert.ok(!body.files.some(({ name }: { name: string }) => name === 'made-by-second'))
    },
    'POST /files/upload': async () => {
      for (const order of [
        ['sessionId', 'path', 'file'],
        ['file', 'path', 'sessionId'],
      ]) {
        const form = new FormData()
        for (const name of order) {
          if (name === 'file') form.append('file', new Blob(['from the second']), 'x')
          else form.append(name, name === 'path' ? owned.path : owned.sessionId)
        }
        assert.equal((await server.post('/files/upload', form, { token: other })).status, 200)
      }
      const { body } = await server.post('/files/read', { path: owned.path, sessionId: owned.sessionId })
      assert.equal(body.content, secret)
    },
    'PUT /files/upload': async () => {
      const query = new URLSearchParams({ path: owned.path, sessionId: owned.sessionId })
      const answer = await server.call('PUT', `/files/upload?${query.toString()}`, 'from the second', { token: other })
      assert.equal(answer.status, 200)
      const { body } = await server.post('/files/read', { path: owned.path, sessionId: owned.sessionId })
      assert.equal(body.content, secret)
    },
    'GET /files/download': async () => {
      const own = await server.newAccount()
      const query = new URLSearchParams({ path: owned.path, sessionId: owned.sessionId })
      isMissing(await server.call('GET', `/files/download?${query.toString()}`, undefined, { token: own }))
    },
    'POST /process/start': async () => {
      const { status, body } = await asOther('/process/start', {
        command: 'true',
        processId: owned.processName,
        sessionId: owned.sessionId,
      })
      assert.equal(status, 200, 'a name that another account uses is free')
      assert.notEqual(body.id, owned.processId)
      const { body: first } = await server.post('/process/get', { processId: 'web', sessionId: owned.sessionId })
      assert.equal(first.process.id, owned.processId)
    },
    'POST /process/list': async () => {
      const { body } = await asOther('/process/list', { sessionId: owned.sessionId })
      assert.ok(!JSON.stringify(body).includes(owned.processId) && !JSON.stringify(body).includes(secret))
    },
    'POST /process/get': async () => {
      await asOther('/execute', { code: 'true', language: 'shell', sessionId: owned.sessionId })
      for (const processId of [owned.processId, owned.executed])
        isMissing(await asOther('/process/get', { processId, sessionId: owned.sessionId }))
      isMissing(await asOther('/process/get', { processId: owned.processId }))
    },
    'POST /process/kill': async () => {
      isMissing(await asOther('/process/kill', { processId: owned.processId, sessionId: owned.sessionId }))
      isMissing(await asOther('/process/kill', { processId: owned.processId, signal: 'SIGKILL' }))
      const { body } = await server.post('/process/get', { processId: 'web', sessionId: owned.sessionId })
      assert.equal(body.process.status, 'running')
    },
    'POST /expose': async () => {
      const { status, body } = await asOther('/expose', { port: owned.port, sessionId: owned.sessionId })
      assert.equal(status, 200)
      assert.notEqual(body.url, owned.previewUrl)
    },
    'POST /memory/write': async () => {
      await asOther('/memory/write', { path: owned.memoryPath, content: 'from the second' })
      const { body } = await server.post('/memory/read', { path: owned.memoryPath })
      assert.equal(body.content, secret)
      await asOther('/memory/delete', { path: owned.memoryPath })
    },
    'POST /memory/read': async () => isMissing(await asOther('/memory/read', { path: owned.memoryPath })),
    'POST /memory/list': async () => {
      const { body } = await asOther('/memory/list', { prefix: '' })
      assert.deepEqual(body.files, [])
    },
    'POST /memory/delete': async () => {
      isMissing(await asOther('/memory/delete', { path: owned.memoryPath }))
      assert.equal((await server.post('/memory/read', { path: owned.memoryPath })).status, 200)
    },
    'GET /balance': async () => {
      const own = await server.newAccount()
      const { body } = await server.call('GET', '/balance', undefined, { token: own })
      assert.deepEqual(body, { creditsRemaining: 5, creditsRemainingUsdc: '5.000000' })
    },
    'POST /topup': async () => {
      const { status, body } = await asOther('/topup', { tier: 'starter' })
      assert.deepEqual([status, body.code], [501, 'NOT_SET_UP'])
    },
    'GET /v1/computers': async () => {
      const { body } = await server.call('GET', '/v1/computers', undefined, { token: other })
      assert.ok(!JSON.stringify(body).includes(owned.computerId))
    },
    // The name of another account's computer is free.
    'POST /v1/computers': async () => {
      const { status, body } = await asOther('/v1/computers', { handle: owned.handle, size_preset: 'ram-2g' })
      assert.equal(status, 202)
      assert.notEqual(body.computer.id, owned.computerId)
      await server.call('DELETE', `/v1/computers/${body.computer.id}`, undefined, { token: other })
    },
    ...Object.fromEntries(
      (
        [
          ['GET', ''],
          ['PATCH', '', { display_name: 'mine' }],
          ['DELETE', ''],
          ['GET', '/usage'],
          ['GET', '/ports'],
          ['GET', '/shares'],
          ['POST', '/shares/links', {}],
          ['POST', '/ports', { port: 80 }],
          ['POST', '/actions/start'],
          ['POST', '/actions/stop'],
          ['POST', '/actions/ensure-ready'],
          ['POST', '/exec', { command: ['true'] }],
          ['POST', '/access-sessions', { kind: 'exec' }],
          ['POST', '/files/ops', { operation: 'list' }],
          ['GET', '/connection'],
          ['POST', '/ssh/certificates', { ssh_key_id: 'k7w2m9x4c1v8n3q6t5hz' }],
          ['POST', '/ssh-credentials'],
          ['GET', '/snapshots'],
          ['POST', '/snapshots'],
          ['POST', '/fork', {}],
          ['POST', '/actions/resize', { size_preset: 'ram-2g' }],
          ['POST', '/actions/restore', { snapshot_id: 'none' }],
          ['POST', '/actions/transfer', { target_org_id: 'none' }],
        ] as const
      ).map(([method, path, body]) => [
        `${method} /v1/computers/:id${path}`,
        async () => {
          isMissing(await server.call(method, `/v1/computers/${owned.computerId}${path}`, body, { token: other }))
          const { body: kept } = await server.call('GET', `/v1/computers/${owned.handle}`)
          assert.deepEqual([kept.computer.id, kept.computer.display_name], [owned.computerId, owned.handle])
        },
      ]),
    ),
    ...Object.fromEntries(
      ['GET', 'DELETE'].map((method) => [
        `${method} /v1/computers/:id/access-sessions/:sessionId`,
        async () => {
          const { body: created } = await until(
            () => server.call('POST', `/v1/computers/${owned.computerId}/access-sessions`, { kind: 'exec' }),
            ({ status }) => status === 201,
          )
          const path = `access-sessions/${created.session.id}`
          const { body: mine } = await asOther('/v1/computers')
          for (const computerId of [owned.computerId, mine.computer.id])
            isMissing(await server.call(method, `/v1/computers/${computerId}/${path}`, undefined, { token: other }))
          const { body } = await server.call('GET', `/v1/computers/${owned.computerId}/${path}`)
          assert.equal(body.session.state, 'active')
        },
      ]),
    ),
    'DELETE /v1/computers/:id/shares/links/:shareId': async () => {
      const { body: created } = await server.post(`/v1/computers/${owned.computerId}/shares/links`, {})
      const path = `shares/links/${created.share.id}`
      const { body: mine } = await asOther('/v1/computers')
      for (const computerId of [owned.computerId, mine.computer.id])
        isMissing(await server.call('DELETE', `/v1/computers/${computerId}/${path}`, undefined, { token: other }))
      const { body } = await server.call('GET', `/v1/computers/${owned.computerId}/shares`)
      assert.equal(body.shares[0].id, created.share.id)
    },
    ...Object.fromEntries(
      ['Connect', 'Update', 'SendInput', 'SendSignal', 'CloseStdin'].map((method) => [
        `POST /process.Process/${method}`,
        async () => {
          const process = { tag: owned.processName }
          const { status, body } = await atGateway(method, { process, signal: 'SIGNAL_SIGKILL' })
          assert.deepEqual([status, body.code], [404, 'not_found'])
        },
      ]),
    ),
    'POST /process.Process/:method': async () => {
      const { status, body } = await atGateway('None')
      assert.deepEqual([status, body.code], [501, 'unimplemented'])
    },
    'POST /process.Process/List': async () => {
      const { body } = await atGateway('List')
      assert.deepEqual(body, {})
    },
    'POST /process.Process/Start': async () => {
      const { body } = await atGateway('Start', { command: ['test', '-e', owned.path] })
      assert.match(body, /"exitCode":1/)
    },
    'POST /process.Process/StreamInput': async () => {
      const { status } = await atGateway('StreamInput', { start: { process: { tag: owned.processName } } })
      assert.equal(status, 415)
    },
    'DELETE /v1/computers/:id/ports/:port': async () =>
      isMissing(await server.call('DELETE', `/v1/computers/${owned.computerId}/ports/80`, undefined, { token: other })),
    'GET /sessions': async () => {
      const { body } = await server.call('GET', '/sessions', undefined, { token: other })
      assert.deepEqual([body.sessions, body.total_count], [[], 0])
    },
    // A dataset belongs to the server, and each session to the account that asks for it.
    'POST /sessions': async () => {
      isMissing(await asOther('/sessions', { dataset: owned.environmentId, sample_id: owned.environmentId }))
    },
    ...Object.fromEntries(
      (
        [
          ['GET', ''],
          ['DELETE', ''],
          ['POST', '/extend', {}],
          ['POST', '/exec', { command: 'true' }],
          ['GET', '/interactions'],
          ['GET', '/interactions/:interaction_id'],
          ['POST', '/str_replace', { file_path: '/etc/passwd', str_to_replace: 'root', str_to_insert: 'x' }],
          ['GET', '/files', undefined, '?path=/etc/passwd'],
          ['PUT', '/files', 'x', '?path=/tmp/x'],
        ] as const
      ).map(([method, path, body, query = '']) => [
        `${method} /sessions/:session_id${path}`,
        async () => {
          const { environmentId, interactionId } = owned
          const address = `/sessions/${environmentId}${path.replace(':interaction_id', interactionId)}${query}`
          isMissing(await server.call(method, address, body, { token: other }))
          assert.equal((await server.call('GET', `/sessions/${environmentId}`)).body.status, 'ready')
        },
      ]),
    ),
    'GET /v1/snapshots': async () => {
      const { body } = await server.call('GET', '/v1/snapshots', undefined, { token: other })
      assert.deepEqual(body.snapshots, [])
    },
    ...Object.fromEntries(
      (
        [
          ['GET', ''],
          ['DELETE', ''],
          ['POST', '/restore', {}],
        ] as const
      ).map(([method, path, body]) => [
        `${method} /v1/snapshots/:snapshotId${path}`,
        async () => {
          isMissing(await server.call(method, `/v1/snapshots/${owned.snapshotId}${path}`, body, { token: other }))
          assert.equal((await server.call('GET', `/v1/snapshots/${owned.snapshotId}`)).status, 200)
        },
      ]),
    ),
    'GET /v1/operations/:operationId': async () =>
      isMissing(await server.call('GET', `/v1/operations/${owned.operationId}`, undefined, { token: other })),
    'GET /v1/ssh-keys': async () => {
      const { body } = await server.call('GET', '/v1/ssh-keys', undefined, { token: other })
      assert.ok(!JSON.stringify(body).includes(owned.sshKeyId))
    },
    // The same key in another account is another row.
    'POST /v1/ssh-keys': async () => {
      const { body: keys } = await server.call('GET', '/v1/ssh-keys')
      const { status, body } = await asOther('/v1/ssh-keys', { public_key: keys.ssh_keys[0].public_key })
      assert.equal(status, 201)
      await server.call('DELETE', `/v1/ssh-keys/${body.ssh_key.id}`, undefined, { token: other })
    },
    'DELETE /v1/ssh-keys/:sshKeyId': async () => {
      isMissing(await server.call('DELETE', `/v1/ssh-keys/${owned.sshKeyId}`, undefined, { token: other }))
      const { body } = await server.call('GET', '/v1/ssh-keys')
      assert.ok(JSON.stringify(body).includes(owned.sshKeyId))
    },
    'POST /v1/computer-capacity/check': async () =>
      isMissing(await asOther('/v1/computer-capacity/check', { computer_id: owned.computerId, size_preset: 'ram-2g' })),
    'GET /v1/computer-images': async () => {
      const { body } = await server.call('GET', '/v1/computer-images', undefined, { token: other })
      assert.ok(body.images.length > 0)
    },
    'GET /v1/computer-images/:imageId': async () =>
      isMissing(await server.call('GET', `/v1/computer-images/${owned.computerId}`, undefined, { token: other })),
    'GET /v1/usage': async () => {
      const own = await server.newAccount()
      const { body } = await server.call('GET', '/v1/usage?days=366', undefined, { token: own })
      assert.deepEqual([body.totals, body.byComputer, body.byKey, body.byLabel], [[], [], [], []])
    },
    'GET /v1/billing/preferences': async () => {
      const { body } = await server.call('GET', '/v1/billing/preferences', undefined, { token: other })
      assert.ok(!JSON.stringify(body).includes(owned.workspaceId) && body.keys.length === 0)
    },
    'PATCH /v1/billing/preferences': async () => {
      const change = { keys: [{ key_id: owned.keyId, daily_limit_cents: 0 }] }
      isMissing(await server.call('PATCH', '/v1/billing/preferences', change, { token: other }))
    },
    'GET /billing/balance': async () => {
      const { body: own } = await server.call('GET', '/billing/balance')
      const { body } = await server.call('GET', '/billing/balance', undefined, { token: await server.newAccount() })
      assert.deepEqual([body.balance, body.total_deposited, body.total_spent], [500, 0, 0])
      assert.notEqual(body.user_id, own.user_id)
    },
    'GET /billing/usage': async () => {
      const { body } = await server.call('GET', '/billing/usage', undefined, { token: await server.newAccount() })
      assert.deepEqual([body.total_count, body.items], [0, []])
    },
    'POST /billing/deposit': async () => paysForItself('/billing/deposit', { amount_cents: 900 }),
    'POST /api/v1/credits/topup': async () => paysForItself('/api/v1/credits/topup', { amountCents: 900 }),
    'POST /memory/usage': async () => {
      const { body } = await asOther('/memory/usage')
      assert.deepEqual([body.usedBytes, body.fileCount], [0, 0])
    },
    'GET /users/me': async () => {
      const { body: own } = await server.call('GET', '/users/me')
      const { body } = await server.call('GET', '/users/me', undefined, { token: other })
      assert.equal(body.name, 'second')
      assert.notEqual(body.user_id, own.user_id)
    },
    'GET /v1/me': async () => {
      const { body: own } = await server.call('GET', '/v1/me')
      const { body } = await server.call('GET', '/v1/me', undefined, { token: other })
      assert.equal(body.name, 'second')
      assert.notEqual(body.workspace_id, own.workspace_id)
    },
    'GET /api/v1/credits/me': async () => {
      const own = await server.newAccount()
      const { body } = await server.call('GET', '/api/v1/credits/me', undefined, { token: own })
      assert.deepEqual(body, { balance: 5, currency: 'USD', storageUsedBytes: 0 })
    },
    'GET /api/v1/billing/storage': async () => {
      const own = await server.newAccount()
      const { body } = await server.call('GET', '/api/v1/billing/storage', undefined, { token: own })
      assert.deepEqual([body.storageUsedBytes, body.gibHours], [0, 0])
    },
    'GET /api/v1/settings': async () => {
      await server.call('PATCH', '/api/v1/settings', { timezone: 'Asia/Jakarta' })
      const { body } = await server.call('GET', '/api/v1/settings', undefined, { token: other })
      assert.deepEqual([body.displayName, body.timezone], ['second', 'UTC'])
    },
    'PATCH /api/v1/settings': async () => {
      await server.call('PATCH', '/api/v1/settings', { theme: 'dark' }, { token: other })
      assert.equal((await server.call('GET', '/api/v1/settings')).body.theme, 'system')
    },
    'GET /api/v1/session': async () => {
      const { body: own } = await server.call('GET', '/api/v1/session')
      const { body } = await server.call('GET', '/api/v1/session', undefined, { token: other })
      assert.equal(body.name, 'second')
      assert.notEqual(body.accountId, own.accountId)
    },
    'DELETE /api/v1/account/delete': async () => {
      const [first, second] = [await signInByMail(server), await signInByMail(server)]
      const { status } = await server.call('DELETE', '/api/v1/account/delete', undefined, { token: second })
      assert.equal(status, 200)
      const { body } = await server.call('GET', '/users/me', undefined, { token: first })
      assert.deepEqual([body.is_active, body.delete_at], [true, undefined])
    },
    'POST /api/v1/account/cancel-deletion': async () => {
      const [first, second] = [await signInByMail(server), await signInByMail(server)]
      await server.call('DELETE', '/api/v1/account/delete', undefined, { token: first })
      assert.equal((await server.post('/api/v1/account/cancel-deletion', {}, { token: second })).status, 200)
      const { body } = await server.call('GET', '/users/me', undefined, { token: first })
      assert.equal(body.is_active, false)
    },
    'POST /datasets': async () => {
      const example = JSON.stringify({ instance_id: 'one', problem_statement: 'x', FAIL_TO_PASS: ['a'] })
      const headers = { 'content-type': 'application/octet-stream' }
      assert.equal((await server.call('POST', '/datasets?name=owned', example, { headers })).status, 200)
      assert.equal((await server.call('POST', '/datasets?name=owned', example, { headers, token: other })).status, 403)
    },
    // Datasets are the server's, and every account may read them.
    'GET /samples/:dataset/:sample_id/download': async () => {
      const path = '/samples/owned/one/download'
      assert.equal((await server.call('GET', path, undefined, { token: other })).status, 200)
      assert.equal((await server.call('GET', path, undefined, { token: null })).status, 401)
    },
    'DELETE /datasets/:dataset/samples/:sample_id': async () => {
      const path = '/datasets/owned/samples/one'
      assert.equal((await server.call('DELETE', path, undefined, { token: other })).status, 403)
      assert.equal((await server.call('DELETE', path)).status, 200)
    },
    'DELETE /datasets/:dataset': async () => {
      assert.equal((await server.call('DELETE', '/datasets/owned', undefined, { token: other })).status, 403)
      assert.equal((await server.call('DELETE', '/datasets/owned')).status, 200)
    },
    'GET /users/me/api-keys': async () => {
      const { body } = await server.call('GET', '/users/me/api-keys', undefined, { token: other })
      assert.ok(!JSON.stringify(body).includes(owned.keyId))
    },
    'POST /users/me/api-keys': async () => {
      const { body } = await asOther('/users/me/api-keys', { name: 'a key of the second' })
      const { body: user } = await server.call('GET', '/users/me', undefined, { token: body.api_key })
      assert.equal(user.name, 'second')
    },
    'DELETE /users/me/api-keys': async () => {
      isMissing(await server.call('DELETE', '/users/me/api-keys', { key_id: owned.keyId }, { token: other }))
      const { body } = await server.call('GET', '/users/me/api-keys')
      assert.ok(body.api_keys.some(({ key_id }: { key_id: string }) => key_id === owned.keyId))
      assert.equal((await server.call('DELETE', '/users/me/api-keys', { key_id: owned.keyId })).status, 200)
    },
    'GET /users/me/sessions': async () => {
      const { body } = await server.call('GET', '/users/me/sessions')
      const own = new Set(body.sessions.map(({ session_id }: { session_id: string }) => session_id))
      const { body: others } = await server.call('GET', '/users/me/sessions', undefined, { token: other })
      assert.ok(own.size > 0 && others.sessions.length > 0)
      assert.ok(others.sessions.every(({ session_id }: { session_id: string }) => !own.has(session_id)))
    },
    'DELETE /users/me/sessions': async () => {
      assert.equal((await server.call('DELETE', '/users/me/sessions', undefined, { token: other })).status, 200)
      assert.equal((await server.call('GET', '/users/me')).status, 200)
    },
    'DELETE /users/me/sessions/:sessionId': async () => {
      const { body } = await server.call('GET', '/users/me/sessions')
      const path = `/users/me/sessions/${body.sessions[0].session_id}`
      isMissing(await server.call('DELETE', path, undefined, { token: other }))
      assert.equal((await server.call('GET', '/users/me')).status, 200)
    },
    'GET /v1/sandboxes': async () => {
      const query = `?name=${encodeURIComponent(owned.sessionId)}`
      const { body: own } = await server.call('GET', `/v1/sandboxes${query}`)
      assert.deepEqual(
        own.sandboxes.map(({ sandbox_id: id }: { sandbox_id: string }) => id),
        [owned.sandboxId],
      )
      const token = await server.newAccount()
      for (const path of ['/v1/sandboxes', `/v1/sandboxes${query}`])
        assert.deepEqual((await server.call('GET', path, undefined, { token })).body.sandboxes, [], path)
    },
    'POST /v1/sandboxes/:sandboxId/stop': async () => {
      isMissing(await asOther(`/v1/sandboxes/${owned.sandboxId}/stop`))
      await isUntouched()
    },
    'DELETE /v1/sandboxes/:sandboxId': async () => {
      isMissing(await server.call('DELETE', `/v1/sandboxes/${owned.sandboxId}`, undefined, { token: other }))
      await isUntouched()
    },
    'GET /v1/workspaces': async () => {
      const { body } = await server.call('GET', '/v1/workspaces', undefined, { token: other })
      assert.ok(body.workspaces.length === 1 && !JSON.stringify(body).includes(owned.workspaceId))
    },
    'POST /v1/workspaces': async () => {
      assert.equal((await asOther('/v1/workspaces', { name: 'Second' })).status, 403)
    },
    ...Object.fromEntries(
      Object.entries<[string, unknown?]>({
        'GET /v1/workspaces/:workspaceId': [''],
        'PATCH /v1/workspaces/:workspaceId': ['', { name: 'Second' }],
        'DELETE /v1/workspaces/:workspaceId': [''],
        'POST /v1/workspaces/:workspaceId/cancel-deletion': ['/cancel-deletion', {}],
        'GET /v1/workspaces/:workspaceId/members': ['/members'],
        'PATCH /v1/workspaces/:workspaceId/members/:userId': ['/members/USER', { role: 'owner' }],
        'DELETE /v1/workspaces/:workspaceId/members/:userId': ['/members/USER'],
        'GET /v1/workspaces/:workspaceId/invitations': ['/invitations'],
        'POST /v1/workspaces/:workspaceId/invitations': ['/invitations', { email: newAddress() }],
        'DELETE /v1/workspaces/:workspaceId/invitations/:invitationId': ['/invitations/INVITATION'],
      }).map(([route, [rest, body]]) => [
        route,
        async () => {
          const [method] = route.split(' ')
          const end = rest.replace('USER', owned.userId).replace('INVITATION', owned.invitationId)
          isMissing(await server.call(method!, `/v1/workspaces/${owned.workspaceId}${end}`, body, { token: other }))
          // Nor in a workspace of one's own by the ids of what is in another.
          if (rest !== end)
            isMissing(await server.call(method!, `/v1/workspaces/current${end}`, body, { token: other }))
        },
      ]),
    ),
  }

  test('every route that needs a token has an attempt here', () => {
    assert.deepEqual(namesOf(routes.filter(({ isPublic }) => !isPublic)), Object.keys(attempts).toSorted())
  })

  for (const [route, attempt] of Object.entries(attempts))
    test(`${route} gives one account nothing of another`, async () => {
      await attempt()
    })

  /** Routes without a token that take no id, and answer every client alike. */
  const alike = [
    'GET /',
    'GET /.well-known/jwks.json',
    'GET /.well-known/openid-configuration',
    'GET /.well-known/skill.md',
    'GET /SKILL.md',
    'GET /api/v1/health',
    'GET /api/v1/openapi.json',
    'GET /assets/design.css',
    'GET /billing/pricing',
    'GET /datasets',
    'GET /docs',
    'GET /docs/console.js',
    'GET /docs/page.css',
    'GET /docs/samples.js',
    'GET /docs/search.js',
    'GET /docs/search.json',
    'GET /favicon.ico',
    'GET /favicon.svg',
    'GET /health',
    'GET /healthz',
    'GET /openapi.json',
    'GET /readyz',
    'GET /sign-in',
    'GET /status',
    'GET /topup',
    'GET /v1/computer-size-presets',
    'GET /v1/status/uptime',
  ]

  const anonymous = (method: string, path: string, body?: unknown) => server.call(method, path, body, { token: null })
  const forCli = (state: string) => ({ callback_url: 'http://127.0.0.1:4000/callback', state })
  const cliQuery = (id: string) => new URLSearchParams(forCli(id)).toString()
  /**
   * Routes without a token that take a secret, a signature or a surface's name: how each is requested with an id
   * instead.
   */
  const byValue: Record<string, (id: string) => Promise<Answer>> = {
    'GET /billing/return': (id) => anonymous('GET', `/billing/return?payment=${id}`),
    'GET /billing/cancel': (id) => anonymous('GET', `/billing/cancel?payment=${id}`),
    'GET /billing/pay/:payment': (id) => anonymous('GET', `/billing/pay/${id}`),
    'POST /billing/pay/:payment': (id) => anonymous('POST', `/billing/pay/${id}`),
    'POST /billing/webhook': (id) => anonymous('POST', '/billing/webhook', { id }),
    'GET /invitation': (id) => anonymous('GET', `/invitation?token=${id}`),
    'POST /invitation': (id) => anonymous('POST', '/invitation', { token: id }),
    'GET /login/callback': (id) => anonymous('GET', `/login/callback?token=${id}`),
    'POST /login/callback': (id) => anonymous('POST', '/login/callback', { token: id }),
    'GET /api/cli/auth': (id) => anonymous('GET', `/api/cli/auth?callback_url=${id}&state=x`),
    'POST /api/cli/auth': (id) => anonymous('POST', '/api/cli/auth', { ...forCli('x'), token: id }),
    'POST /api/cli/auth/mail': (id) => anonymous('POST', '/api/cli/auth/mail', { ...forCli('x'), email: id }),
    'POST /api/cli/auth/answer': (id) =>
      anonymous('POST', '/api/cli/auth/answer', { approval: id, workspace: id, name: id, answer: 'agree' }),
    'GET /api/cli/auth/github': (id) => anonymous('GET', `/api/cli/auth/github?${cliQuery(id)}`),
    'GET /api/cli/auth/github/callback': (id) => anonymous('GET', `/api/cli/auth/github/callback?state=${id}`),
    'POST /sign-in': (id) => anonymous('POST', '/sign-in', { email: id }),
    'POST /login': (id) => anonymous('POST', '/login', { wallet: id }),
    'POST /auth/refresh': (id) => anonymous('POST', '/auth/refresh', { token: id }),
    'POST /auth/github': (id) => anonymous('POST', '/auth/github', { code: id }),
    'GET /v1/shares/:token': (id) => anonymous('GET', `/v1/shares/${id}`),
    'POST /v1/shares/:token/access-sessions': (id) => anonymous('POST', `/v1/shares/${id}/access-sessions`),
    'GET /share/:token': (id) => anonymous('GET', `/share/${id}`),
    'POST /share/:token': (id) => anonymous('POST', `/share/${id}`),
    // Samples are the server's, and every account may read them.
    'GET /samples': async (id) => {
      const answer = await anonymous('GET', `/samples?dataset=${id}&search=${id}`)
      // A search that finds nothing is no error.
      return answer.body.total_count === 0 ? { ...answer, status: 404 } : answer
    },
    'GET /docs/:surface': (id) => anonymous('GET', `/docs/${id}`),
    'GET /skills/:surface.md': (id) => anonymous('GET', `/skills/${id}.md`),
    'GET /openapi/:surface.json': (id) => anonymous('GET', `/openapi/${id}.json`),
    'GET /metrics': (id) => server.call('GET', '/metrics', undefined, { token: id }),
  }

  test('every route without a token takes no id, or is requested with ids here', () => {
    const open = routes.filter(({ isPublic }) => isPublic)
    assert.deepEqual(namesOf(open), [...alike, ...Object.keys(byValue)].toSorted())
    for (const { url, schema } of open.filter((route) => alike.includes(nameOf(route))))
      assert.deepEqual([url.includes(':'), schema.params, schema.querystring, schema.body], [false, ...Array(3)], url)
  })

  test('routes that take no id reveal nothing about an account', async () => {
    const ofSurface = ['/docs/paperpod', '/skills/paperpod.md', '/openapi/paperpod.json']
    for (const path of [...alike.map((route) => route.slice('GET '.length)), ...ofSurface]) {
      const { status, body } = await anonymous('GET', path)
      assert.equal(status, 200, path)
      const text = JSON.stringify(body)
      for (const name of [...Object.values(ids()), owned.memoryPath, secret, server.token])
        assert.ok(!text.includes(name), `${path} has ${name}`)
    }
  })

  for (const [route, ask] of Object.entries(byValue))
    test(`${route} does not respond to an id of an account`, async () => {
      for (const [what, id] of Object.entries(ids())) {
        const { status, body } = await ask(id)
        assert.ok(status >= 400 && status !== 500, `${status} for ${what}`)
        assert.ok(!JSON.stringify(body).includes(secret))
      }
    })

  test('the metrics are closed to the account of a tenant', async () => {
    assert.equal((await server.call('GET', '/metrics', undefined, { token: other })).status, 403)
  })

  test('a sandbox name belongs to its account: each has a computer of its own of that name', async () => {
    const rows = await withDatabase((database) =>
      database.selectFrom('computers').select(['account_id', 'name']).where('name', '=', owned.sessionId).execute(),
    )
    assert.equal(new Set(rows.map(({ account_id }) => account_id)).size, rows.length)
    assert.ok(rows.length >= 2)
  })
})

describe('authentication', { timeout: 300_000 }, () => {
  let server: TestServer
  let refused: Record<string, string | undefined>
  let good: string

  before(async () => {
    server = await TestServer.start()
    refused = await withDatabase(async (database) => {
      const account = await createAccount(database, 'tokens')
      good = await createToken(database, account, 'good', 3_600_000)
      const revoked = await createToken(database, account, 'revoked')
      await database
        .updateTable('tokens')
        .set({ revoked_at: Date.now() })
        .where('account_id', '=', account)
        .where('name', '=', 'revoked')
        .execute()
      const expired = await createToken(database, account, 'expired', -1)
      return {
        'no token': undefined,
        'an empty one': 'Bearer ',
        'one that is none': 'Bearer pp_sess_garbage',
        'one with a letter changed': `Bearer ${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
        'one in another scheme': `Basic ${Buffer.from(`x:${good}`).toString('base64')}`,
        'one without a scheme': good,
        two: `Bearer ${good} ${good}`,
        'its hash': `Bearer ${'0'.repeat(64)}`,
        SQL: `Bearer ' OR 1=1 --`,
        'one of 10 kB': `Bearer ${'x'.repeat(10_000)}`,
        'one that was revoked': `Bearer ${revoked}`,
        'one that has expired': `Bearer ${expired}`,
      }
    })
  })
  after(() => server.stop())

  const usage = (headers: Record<string, string>) => server.post('/memory/usage', {}, { token: null, headers })

  test('every route that needs a token refuses a wrong one before it examines the rest of the request', async () => {
    let refusedCount = 0
    for (const { method, url } of routes.filter(({ isPublic, takesSession }) => !isPublic && !takesSession))
      for (const [why, authorization] of Object.entries(refused)) {
        const sent = method === 'GET' ? undefined : '{not even JSON'
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
        const { status, headers: got, body } = await server.call(method, url, sent, { token: null, headers })
        const isPawpado = url.startsWith('/api/v1/')
        const code = isPawpado ? body.error : body.code
        assert.deepEqual([status, code], [401, 'UNAUTHENTICATED'], `${method} ${url} with ${why}`)
        assert.equal(got.get('www-authenticate'), 'Bearer')
        if (!isPawpado) assert.deepEqual([body.action, body.retryable], ['LOGIN', false])
        refusedCount++
      }
    assert.ok(refusedCount >= 200)
  })

  test('the scheme is taken in any case', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      assert.equal((await usage({ authorization: `${scheme} ${good}` })).status, 200)
  })

  test('X-Session-Token does where Authorization is taken by a payment', async () => {
    assert.equal((await usage({ 'x-session-token': good })).status, 200)
    assert.equal((await usage({ 'x-session-token': good, authorization: 'Payment id="x"' })).status, 200)
    assert.equal((await usage({ 'x-session-token': 'pp_sess_wrong', authorization: `Bearer ${good}` })).status, 401)
  })

  test('a token that is revoked is refused from the next request on', async () => {
    const token = await server.newAccount()
    assert.equal((await server.post('/memory/usage', {}, { token })).status, 200)
    await withDatabase((database) =>
      database.updateTable('tokens').set({ revoked_at: Date.now() }).where('name', '=', 'test').execute(),
    )
    assert.equal((await server.post('/memory/usage', {}, { token })).status, 401)
  })

  test('a token that expires is refused from then on', async () => {
    const token = await withDatabase(async (database) =>
      createToken(database, await createAccount(database, 'short'), 'short', 1500),
    )
    assert.equal((await server.post('/memory/usage', {}, { token })).status, 200)
    await until(
      () => server.post('/memory/usage', {}, { token }),
      ({ status }) => status === 401,
    )
  })

  test('the token is in no query, no answer, no log and not in the database', async () => {
    assert.equal(
      (await server.call('POST', `/memory/usage?token=${good}&access_token=${good}`, {}, { token: null })).status,
      401,
    )
    await server.post('/execute', { code: 1 }, { token: good })
    assert.ok(!server.log().includes(good))
    const secretPart = good.slice('pp_sess_'.length)
    assert.ok(!(await storedText()).includes(secretPart))
  })

  test('a socket of /v1/exec is refused with 401 without a token and opened with X-Session-Token', async () => {
    const address = `${server.url.replace('http', 'ws')}/v1/exec`
    const without = new WebSocket(address)
    without.on('error', () => {})
    const [, answer] = (await once(without, 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: Record<string, string> },
    ]
    assert.deepEqual([answer.statusCode, answer.headers['www-authenticate']], [401, 'Bearer'])
    without.terminate()
    const socket = new WebSocket(address, { headers: { 'x-session-token': good } })
    await once(socket, 'open')
    socket.terminate()
  })
})
