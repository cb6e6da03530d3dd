import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { TestServer, until } from '../support/server.ts'
import { withDatabase } from '../support/with-database.ts'

const cliPath = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const proxy = fileURLToPath(new URL('./fixtures/tls-proxy.ts', import.meta.url))

interface Result {
  exitCode: number
  stdout: string
  stderr: string
}

/** Runs a program to its end. */
function run(program: string, args: string[], input = '', env = process.env): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { env }, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    )
    child.stdin!.on('error', () => {}).end(input)
  })
}

const isInstalled = async (program: string) => (await run('which', [program])).exitCode === 0
const skip = (await isInstalled('ssh')) ? false : 'there is no OpenSSH client'
const skipRsync = (await isInstalled('rsync')) ? false : 'there is no rsync'

/** Another run of the tests on this machine has other ports. */
const firstPort = 42_000 + (process.pid % 200) * 20

describe("OpenSSH's programs", { timeout: 300_000, skip }, () => {
  let server: TestServer
  const directory = mkdtempSync(join(tmpdir(), 'carrel-ssh-'))
  const config = join(directory, 'config')
  const suffix = Date.now().toString(36)
  const [first, second] = [`ssh-a-${suffix}`, `ssh-b-${suffix}`]
  const own = join(directory, 'own')
  const guest = join(directory, 'guest')

  const call = (method: string, path: string, body?: unknown) => server.call(method, `/v1${path}`, body)
  const stateOf = async (handle: string) => (await call('GET', `/computers/${handle}`)).body.computer.state
  const running = (handle: string) =>
    until(
      () => stateOf(handle),
      (state) => state === 'running',
    )
  const newKey = async (file: string) => {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file])
    return readFileSync(`${file}.pub`, 'utf8')
  }
  /** Adds a host to the configuration, with the key that the API says the computer has. */
  const addHost = async (name: string, handle: string, keyFile: string, more: string[] = []) => {
    const { connection } = (await call('GET', `/computers/${handle}/connection`)).body
    const known = join(directory, `${name}.known`)
    writeFileSync(known, `${handle} ${connection.ssh_host_public_key}\n`)
    const lines = [
      `Host ${name}`,
      `HostName ${connection.ssh_host}`,
      `Port ${connection.ssh_port}`,
      `User ${connection.ssh_user}`,
      `HostKeyAlias ${handle}`,
      `UserKnownHostsFile ${known}`,
      `IdentityFile ${keyFile}`,
      ...more,
    ]
    const options = ['IdentitiesOnly yes', 'StrictHostKeyChecking yes', 'BatchMode yes', 'LogLevel ERROR']
    writeFileSync(config, `${lines.join('\n')}\n${options.join('\n')}\n`, { flag: 'a' })
  }
  /** Adds a host that is reached by the TLS port with credentials of their own. */
  const addEdgeHost = async (name: string, handle: string, ofComputer = handle, token = server.token) => {
    const path = `/v1/computers/${ofComputer}/ssh-credentials`
    const credentials = (await server.post(path, {}, { token })).body
    const file = join(directory, name)
    writeFileSync(file, credentials.client_private_key, { mode: 0o600 })
    writeFileSync(`${file}-cert.pub`, `${credentials.client_certificate}\n`)
    writeFileSync(`${file}.pub`, `${credentials.client_public_key}\n`)
    const { body } = await call('POST', `/computers/${handle}/ssh-credentials`)
    const way = `${process.execPath} ${proxy} ${body.edge_host} ${body.edge_port} ${body.sni}`
    await addHost(name, handle, file, [`ProxyCommand ${way}`])
    return credentials
  }
  /** The connection that a test has open. */
  let open: ChildProcess | undefined
  const ssh = (...args: string[]) => run('ssh', ['-F', config, ...args])

  before(async () => {
    server = await TestServer.start({
      env: {
        CARREL_SSH_PORTS: `${firstPort}-${firstPort + 19}`,
        CARREL_SSH_EDGE_PORT: '0',
        CARREL_MEMORY_OVERCOMMIT: '100',
      },
    })
    const guestKey = await newKey(guest)
    for (const [handle, more] of [
      [first, {}],
      [second, { guest: { authorized_keys: [guestKey] } }],
    ] as const) {
      const { status, body } = await call('POST', '/computers', { handle, ...more })
      assert.equal(status, 202, JSON.stringify(body))
      await running(handle)
    }
    const { status, body } = await call('POST', '/ssh-keys', { public_key: await newKey(own) })
    assert.equal(status, 201, JSON.stringify(body))
    await addHost('port', first, own)
    await addEdgeHost('edge', first)
  })
  after(async () => {
    open?.kill()
    for (const handle of [first, second]) await call('DELETE', `/computers/${handle}`)
    await until(
      async () => (await call('GET', '/computers')).body.computers,
      (left) => !left.some(({ handle }: { handle: string }) => handle === first || handle === second),
    )
    await server.stop()
    rmSync(directory, { recursive: true })
  })

  for (const way of ['port', 'edge']) {
    test(`by the ${way}: a command gets the image's environment, and its exit code comes back`, async () => {
      const { exitCode, stdout, stderr } = await ssh(way, 'echo "$USER $LANG $PATH"; echo error >&2; exit 7')
      assert.deepEqual([exitCode, stderr], [7, 'error\n'])
      assert.match(stdout, /^node C\.UTF-8 \/home\/node\/\.local\/bin:/)
    })

    test(`by the ${way}: a terminal, another user, and a forwarded port`, async () => {
      assert.match((await ssh('-tt', way, 'tty')).stdout, /^\/dev\/pts\/\d+\r\n$/)
      assert.equal((await ssh('-l', 'root', way, 'id -u')).stdout, '0\n')
      const program = `printf 'import socket\\ns=socket.create_server(("127.0.0.1",9999))\\nprint("on",flush=True)\\ns.accept()[0].sendall(b"through")\\n' | python3 -`
      const serving = spawn('ssh', ['-F', config, way, program])
      const ended = once(serving, 'close')
      await once(serving.stdout, 'data')
      assert.equal((await ssh('-W', '127.0.0.1:9999', way)).stdout, 'through')
      await ended
    })

    test(`by the ${way}: scp with both protocols, and sftp, copy files unchanged`, async () => {
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251))
      const [sent, back] = [join(directory, `${way}.sent`), join(directory, `${way}.back`)]
      writeFileSync(sent, content)
      for (const protocol of [[], ['-O']]) {
        const there = await run('scp', ['-F', config, ...protocol, sent, `${way}:/tmp/copied`])
        assert.equal(there.exitCode, 0, there.stderr)
        const again = await run('scp', ['-F', config, ...protocol, `${way}:/tmp/copied`, back])
        assert.equal(again.exitCode, 0, again.stderr)
        assert.ok(readFileSync(back).equals(content), `the bytes differ with ${protocol[0] ?? 'sftp'}`)
      }
      const listed = await run('sftp', ['-F', config, '-b', '-', way], 'ls -l /tmp/copied\n')
      assert.match(listed.stdout, /node .* 300000 /)
    })

    test(`by the ${way}: rsync copies a folder`, { skip: skipRsync }, async () => {
      const there = await run('rsync', ['-a', '-e', `ssh -F ${config}`, `${directory}/`, `${way}:/tmp/folder/`])
      assert.equal(there.exitCode, 0, there.stderr)
      assert.match((await ssh(way, 'ls /tmp/folder')).stdout, /^config$/m)
    })
  }

  test('a certificate opens its own computer alone, whatever the way', async () => {
    await addEdgeHost('foreign', second, first)
    const { exitCode, stderr } = await ssh('foreign', 'true')
    assert.equal(exitCode, 255)
    assert.match(stderr, /Permission denied \(publickey\)/)
  })

  test('a certificate of a registered key opens the computer by its port', async () => {
    const { ssh_keys: keys } = (await call('GET', '/ssh-keys')).body
    const key = keys.find(({ name }: { name: string }) => name === 'test')
    const { status, body } = await call('POST', `/computers/${first}/ssh/certificates`, { ssh_key_id: key.id })
    assert.equal(status, 201, JSON.stringify(body))
    writeFileSync(join(directory, 'certified.pub'), body.authorized_key)
    const shown = (await run('ssh-keygen', ['-Lf', join(directory, 'certified.pub')])).stdout
    const { id } = (await call('GET', `/computers/${first}`)).body.computer
    assert.match(shown, new RegExp(`Principals:\\s+${id}\\s`))
    const options = ['-o', `CertificateFile=${join(directory, 'certified.pub')}`]
    assert.equal((await ssh(...options, 'port', 'echo in')).stdout, 'in\n')
    const { last_used_at } = (await call('GET', '/ssh-keys')).body.ssh_keys.find(
      (one: { id: string }) => one.id === key.id,
    )
    assert.ok(last_used_at)
  })

  test('an access session for SSH says where to connect', async () => {
    const { status, body } = await call('POST', `/computers/${first}/access-sessions`, { kind: 'ssh' })
    assert.equal(status, 201, JSON.stringify(body))
    const { ssh_host: host, ssh_port: port } = (await call('GET', `/computers/${first}/connection`)).body.connection
    assert.equal(body.session.command, `ssh -p ${port} node@${host}`)
  })

  test('a certificate that has expired opens nothing', async () => {
    await addEdgeHost('expired', first)
    assert.equal((await ssh('expired', 'true')).exitCode, 0)
    await withDatabase((db) =>
      db
        .updateTable('ssh_certificates')
        .set({ expires_at: Date.now() - 1 })
        .execute(),
    )
    assert.match((await ssh('expired', 'true')).stderr, /Permission denied/)
  })

  test('a key that a computer was created with opens that one alone', async () => {
    await addHost('guest', second, guest)
    await addHost('guest-elsewhere', first, guest)
    assert.equal((await ssh('guest', 'echo in')).stdout, 'in\n')
    assert.match((await ssh('guest-elsewhere', 'true')).stderr, /Permission denied/)
  })

  test('a deleted key opens nothing any more, and its connections end', async () => {
    const file = join(directory, 'short')
    const { body } = await call('POST', '/ssh-keys', { public_key: await newKey(file), name: 'short' })
    await addHost('short', first, file)
    const child = spawn('ssh', ['-F', config, 'short', 'echo in; sleep 600'])
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    assert.equal((await call('DELETE', `/ssh-keys/${body.ssh_key.id}`)).status, 204)
    const [exitCode] = await ended
    assert.equal(exitCode, 255)
    assert.match((await ssh('short', 'true')).stderr, /Permission denied/)
  })

  for (const [what, take] of [
    [
      'the API key that asked for its certificate is revoked',
      async (keyId: string) => {
        await server.call('DELETE', '/users/me/api-keys', { key_id: keyId })
      },
    ],
    [
      'its computer changes hands',
      async () => {
        const { id } = (await call('GET', `/computers/${first}`)).body.computer
        await withDatabase(async (db) => {
          const { account_id: owner } = await db
            .selectFrom('computers')
            .select('account_id')
            .where('id', '=', id)
            .executeTakeFirstOrThrow()
          const give = (to: string | null) =>
            db.updateTable('computers').set({ account_id: to }).where('id', '=', id).execute()
          await give(await createAccount(db, 'taker'))
          await until(
            () => server.log(),
            () => open?.exitCode !== null,
          )
          await give(owner)
        })
      },
    ],
  ] as const)
    test(`a connection ends when ${what}`, async () => {
      const { body: key } = await server.post('/users/me/api-keys', { name: what })
      await addEdgeHost(`end-${key.key_id}`, first, first, key.api_key)
      open = spawn('ssh', ['-F', config, `end-${key.key_id}`, 'echo in; sleep 600'])
      const ended = once(open, 'exit')
      await once(open.stdout!, 'data')
      await take(key.key_id)
      assert.deepEqual(await ended, [255, null])
    })

  test('what is no SSH client starts nothing, and is cut off', async () => {
    const { connection } = (await call('GET', `/computers/${first}/connection`)).body
    const socket = connect(connection.ssh_port, connection.ssh_host)
    socket.end('GET / HTTP/1.1\r\n\r\n')
    assert.equal(await text(socket), '')
  })

  test('nothing runs in a computer while nobody is connected', async () => {
    const processes = async () =>
      (
        await call('POST', `/computers/${first}/exec`, {
          command: ['sh', '-c', 'grep -l sshd /proc/[0-9]*/comm; true'],
        })
      ).body
    await until(processes, ({ stdout }) => stdout === '')
  })

  test('connections end with the stop of the computer, and a stopped one says so', async () => {
    await addHost('stopping', second, own)
    const child = spawn('ssh', ['-F', config, 'stopping', 'echo in; sleep 600'])
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    await call('POST', `/computers/${second}/actions/stop`)
    await ended
    await until(
      () => stateOf(second),
      (state) => state === 'stopped',
    )
    const { exitCode, stderr } = await ssh('stopping', 'true')
    assert.equal(exitCode, 255)
    assert.match(stderr, /the computer is stopped; start it/)
  })

  test('carrel ssh starts a stopped computer; with ssh-config, ssh does so by itself', async () => {
    const env = { ...process.env, HOME: directory, CARREL_URL: server.url, CARREL_TOKEN: server.token }
    const carrel = (...args: string[]) => run(process.execPath, [cliPath, ...args], '', env)
    const stop = async () => {
      await call('POST', `/computers/${second}/actions/stop`)
      await until(
        () => stateOf(second),
        (state) => state === 'stopped',
      )
    }
    const shown = await carrel('ssh', second, '--', 'id -un; exit 5')
    assert.deepEqual([shown.exitCode, shown.stdout], [5, 'node\n'], shown.stderr)
    assert.equal((await carrel('ssh', '-u', 'root', second, 'id', '-u')).stdout, '0\n')
    const entries = join(directory, 'entries')
    writeFileSync(entries, (await carrel('ssh-config')).stdout)
    await stop()
    const copied = await run('scp', ['-F', entries, config, `${second}:/tmp/by-handle`], '', env)
    assert.equal(copied.exitCode, 0, copied.stderr)
    const listed = await run('ssh', ['-F', entries, second, 'ls /tmp/by-handle'], '', env)
    assert.deepEqual([listed.exitCode, listed.stdout], [0, '/tmp/by-handle\n'], listed.stderr)
  })
})
