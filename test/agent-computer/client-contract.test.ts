import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AgentComputers } from '../support/agent-computer.ts'
import { TestApp } from '../support/test-app.ts'

/** Another run of the tests on this machine has other ports. */
const sshPorts = ((first) => `${first}-${first + 9}`)(46_000 + (process.pid % 200) * 10)

/** What the service's own command line sends, and what it reads of the answers. */
describe("requests of the service's own command line", { timeout: 120_000 }, () => {
  let server: TestApp
  let api: AgentComputers
  before(async () => {
    const ssh = { CARREL_SSH_EDGE_PORT: '0', CARREL_SSH_PORTS: sshPorts }
    const env = { ...ssh, CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' }
    server = await TestApp.start({ env })
    api = new AgentComputers(server)
  })
  after(() => server.stop())

  const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJsGdPZPPBfvYEO+vFzF/yGThM3JoAJBEgQiM2zWFmXw me@laptop'

  test('create sends no image, and the addresses in each computer are whole URLs', async () => {
    const { body } = await api.done('POST', '/computers', {
      handle: 'box',
      size_preset: 'custom',
      requested_memory_mib: 3072,
      requested_storage_bytes: 6 * 1024 ** 3,
      source: { kind: 'image', image_id: '' },
    })
    const { computers } = (await api.call('GET', '/computers')).body
    for (const computer of [body.computer, await api.read('box'), computers[0]]) {
      assert.match(new URL(computer.primary_url).host, /^box\.localhost(:\d+)?$/)
      assert.equal(computer.vnc_url, new URL('/desktop', computer.primary_url).href)
    }
    const images = (await api.call('GET', '/computer-images')).body.images
    assert.equal((await api.call('GET', `/computer-images/${images[0].id}`)).body.image.status, 'active')
  })

  test('power-off and power-on send no body, and wait for the operation', async () => {
    for (const [action, state] of [
      ['stop', 'stopped'],
      ['start', 'running'],
    ]) {
      const { body } = await api.call('POST', `/computers/box/actions/${action}`)
      if (body.operation) await api.settled(body.operation.id)
      assert.equal((await api.read('box')).state, state)
    }
  })

  test('ssh sends an empty object, and pins the key of the computer under its id', async () => {
    const { id } = await api.read('box')
    const { status, body } = await api.call('POST', `/computers/${id}/ssh-credentials`, {})
    assert.equal(status, 201)
    assert.equal(body.computer_id, id)
    assert.ok(body.sni.startsWith(`${id}.`))
    assert.match(body.client_private_key, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/)
    assert.match(body.client_certificate, /^ssh-ed25519-cert-v01@openssh\.com /)
    assert.match(body.guest_host_public_key, /^ssh-ed25519 /)
    assert.ok(Date.parse(body.expires_at) > Date.now())
  })

  test('a computer without an SSH server says so, and gets none of what opens one', async () => {
    const connection = async () => (await api.call('GET', '/computers/box/connection')).body.connection
    assert.equal((await connection()).ssh_available, true)
    const move = (...paths: string[]) =>
      api.call('POST', '/computers/box/exec', { command: ['mv', ...paths], user: 'root' })
    const { body } = await move('/usr/sbin/sshd', '/usr/sbin/moved')
    assert.equal(body.exit_code, 0, JSON.stringify(body))
    const { ssh_available, ssh_host, ssh_port } = await connection()
    assert.deepEqual([ssh_available, ssh_host, ssh_port], [false, null, null])
    for (const [path, asked] of [
      ['ssh-credentials', {}],
      ['access-sessions', { kind: 'ssh' }],
    ] as const) {
      const { status, body } = await api.call('POST', `/computers/box/${path}`, asked)
      assert.deepEqual([status, body.error.code], [409, 'conflict'], path)
      assert.match(body.error.message, /has no SSH server; install the package openssh-server/)
    }
    await move('/usr/sbin/moved', '/usr/sbin/sshd')
    assert.equal((await connection()).ssh_available, true)
  })

  test('ports are read from the list and from the connection', async () => {
    const published = await api.call('POST', '/computers/box/ports', { port: 8080, visibility: 'private' })
    assert.deepEqual([published.status, published.body.port.state], [202, 'ready'])
    const { ports } = (await api.call('GET', '/computers/box/ports')).body
    const { connection, ports: again } = (await api.call('GET', '/computers/box/connection')).body
    assert.equal(connection.handle, 'box')
    assert.deepEqual(again, ports)
    assert.equal(URL.canParse(ports[0].public_url), true)
    assert.equal((await api.call('DELETE', '/computers/box/ports/8080')).status, 202)
    assert.deepEqual((await api.call('GET', '/computers/box/connection')).body.ports, [])
  })

  test('open and shares get whole links', async () => {
    for (const [kind, path] of [
      ['browser', '/'],
      ['vnc', '/desktop'],
    ] as const) {
      const { status, body } = await api.call('POST', '/computers/box/access-sessions', { kind })
      assert.deepEqual([status, new URL(body.session.access_url).pathname], [201, path])
    }
    const link = { allow_browser: true, allow_vnc: false, expires_at: new Date(Date.now() + 3_600_000).toISOString() }
    const { status, body } = await api.call('POST', '/computers/box/shares/links', link)
    assert.deepEqual([status, body.share.kind, URL.canParse(body.share.share_url)], [201, 'link', true])
    const { shares } = (await api.call('GET', '/computers/box/shares')).body
    assert.deepEqual(shares, [body.share])
    assert.equal((await api.call('DELETE', `/computers/box/shares/links/${body.share.id}`)).status, 204)
  })

  test('a snapshot is made without a body, and restored with the keys that may log in', async () => {
    assert.equal((await api.call('POST', '/ssh-keys', { name: 'id.pub', public_key: publicKey })).status, 201)
    assert.equal((await api.call('POST', '/ssh-keys', { name: 'id.pub', public_key: publicKey })).status, 409)
    const [key] = (await api.call('GET', '/ssh-keys')).body.ssh_keys
    assert.ok(publicKey.startsWith(key.public_key))
    const snapshot = await api.snapshot('box')
    const keys = { guest: { authorized_keys: [key.public_key] } }
    const { body } = await api.done('POST', `/snapshots/${snapshot.id}/restore`, { handle: 'back', ...keys })
    assert.equal(body.computer.handle, 'back')
    assert.equal((await api.done('DELETE', `/snapshots/${snapshot.id}`)).body.snapshot.id, snapshot.id)
  })

  test('whoami reads the account and its usage, and the sizes that can be asked for', async () => {
    const { status, body } = await api.call('GET', '/me')
    assert.deepEqual(
      [status, body.auth_method, body.computer_plan.resource_limits.min_memory_mib],
      [200, 'session', 2048],
    )
    const { usage } = (await api.call('GET', '/usage')).body
    for (const field of ['runtime_seconds', 'storage_bytes', 'snapshot_storage_bytes'])
      assert.equal(typeof usage[field], 'number', field)
    assert.ok(Date.parse(usage.updated_at))
  })

  test('a computer that is not there is looked for by its handle in the list', async () => {
    for (const name of ['nobody', 'x'.repeat(128)]) {
      const { status, body } = await api.call('GET', `/computers/${name}`)
      assert.deepEqual([status, body.error.code], [404, 'not_found'])
    }
    assert.equal((await api.done('DELETE', '/computers/box')).body.computer.handle, 'box')
    assert.deepEqual(
      (await api.call('GET', '/computers')).body.computers.map(({ handle }: { handle: string }) => handle),
      ['back'],
    )
  })
})
