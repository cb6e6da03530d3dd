import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { CliHome, resultOf } from '../../src/cli/testing/run-cli.ts'
import { TestApp } from '../support/test-app.ts'
import { CliUser } from './cli-user.ts'

describe('carrel computers', { timeout: 120_000 }, () => {
  let server: TestApp
  const home = new CliHome()
  before(async () => {
    server = await TestApp.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
  })
  after(async () => {
    home[Symbol.dispose]()
    await server.stop()
  })

  const run = (...args: string[]) =>
    home.run(['computers', ...args], { env: { CARREL_URL: server.url, CARREL_TOKEN: server.token } })
  const output = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run(...args)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  test('creates, shows, stops, starts, renames and deletes them', async () => {
    const none = await run()
    assert.deepEqual([none.exitCode, none.stdout], [0, ''])
    assert.match(none.stderr, /no computer yet: "carrel computers create" makes one/)
    assert.equal(await output('create', 'build', '--size', 'ram-4g', '--name', 'Builds'), 'build\n')
    assert.match(await output('create'), /^[a-z]+-[a-z]+-\d{4}\n$/)
    const [image] = (await server.call('GET', '/v1/computer-images')).body.images
    assert.equal(await output('create', 'plain', '--image', image.display_name), 'plain\n')
    assert.equal(JSON.parse(await output('get', 'plain', '--json')).computers[0].image_id, image.id)
    const [titles, line] = (await output()).split('\n')
    assert.match(titles!, /^HANDLE +STATE +MEMORY +STORAGE +CREATED$/)
    assert.match(line!, /^build +running +4\.0 GiB +10\.0 GiB +\d{4}-/)
    assert.match(await output('ls', '--long'), /^build .* Builds$/m)
    assert.equal(await output('exec', 'build', '--', 'sh', '-c', 'echo kept > file'), '')
    assert.equal(await output('stop', 'build'), 'build is stopped\n')
    assert.equal(await output('start', 'build'), 'build is running\n')
    assert.equal(await output('restart', 'build'), 'build is running\n')
    assert.equal(await output('exec', 'build', '--', 'cat', 'file'), 'kept\n')
    assert.match(await output('rename', 'build', 'builder'), /^It is builder \(Builds\) now$/m)
    assert.match(await output('rename', 'plain', 'plainer'), /^It is plainer now$/m)
    const { computers } = JSON.parse(await output('get', 'builder', '--json'))
    assert.deepEqual([computers[0].handle, computers[0].requested_memory_mib], ['builder', 4096])
    assert.match(await output('get', 'builder'), /^Size +4\.0 GiB memory, 10\.0 GiB storage \(ram-4g\)$/m)
    assert.match(await output('usage', 'builder'), /^builder +\d+ s /m)
    assert.equal(await output('rm', '--yes', 'builder'), 'builder is deleted\n')
    assert.equal((await run('get', 'builder')).exitCode, 1)
  })

  test('ssh says which settings turn SSH on', async () => {
    await output('create', 'off')
    const { exitCode, stderr } = await run('ssh', 'off')
    assert.deepEqual([exitCode, /CARREL_SSH_EDGE_PORT or CARREL_SSH_PORTS/.test(stderr)], [1, true], stderr)
  })

  test('exec runs its line with sh in a computer without Bash', async () => {
    await output('create', 'bare')
    await output('exec', 'bare', '-u', 'root', '--', 'rm', '/bin/bash', '/usr/bin/bash')
    assert.equal(await output('exec', 'bare', '--', 'echo', 'a  b'), 'a  b\n')
    await output('exec', 'bare', '-u', 'root', '--', 'rm', '/bin/sh', '/usr/bin/sh')
    const { exitCode, stderr } = await run('exec', 'bare', '--', 'echo')
    assert.deepEqual([exitCode, /Cannot start "bash"/.test(stderr)], [255, true], stderr)
  })

  test('publishes ports, prints their addresses, and withdraws them', async () => {
    await output('create', 'site')
    const none = await run('ports', 'site')
    assert.deepEqual([none.exitCode, none.stdout], [0, ''])
    assert.match(none.stderr, /No port is published: "carrel computers ports publish" publishes one/)
    const address = await output('ports', 'publish', 'site', '8080', '--name', 'web')
    assert.match(address, /^http:\/\/8080-\w{20}-p8080_v1\.\S+\n$/, 'a script gets only the address')
    const { port } = JSON.parse(await output('ports', 'publish', 'site', '9000', '--private', '--json'))
    assert.deepEqual([port.port, port.visibility], [9000, 'private'])
    const shown = await output('get', 'site')
    assert.match(shown, /^Page +http:\/\/site\./m)
    assert.ok(shown.includes(`Port 9000  ${port.public_url} (private)`), shown)
    assert.deepEqual(
      (await output('ports', 'site'))
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/ +/)),
      [
        ['PORT', 'NAME', 'VISIBILITY', 'ADDRESS'],
        ['8080', 'web', 'public', address.trim()],
        ['9000', '-', 'private', port.public_url],
      ],
    )
    await output('ports', 'publish', 'site', '8080', '--private')
    assert.match(await output('ports', 'ls', 'site'), /^8080 +web +private /m)
    const withdrawn = 'Port 8080 of site is withdrawn\nPort 9000 of site is withdrawn\n'
    assert.equal(await output('ports', 'withdraw', 'site', '8080', '9000'), withdrawn)
    assert.equal(await output('ports', 'ls', 'site'), '')
  })

  test('shares a computer by links, shows them, and deletes them', async () => {
    await output('create', 'shown')
    const none = await run('shares', 'shown')
    assert.match(none.stderr, /Nothing is shared: "carrel computers shares create" makes a link/)
    const link = await output('shares', 'create', 'shown')
    assert.match(link, /^http:\S+\n$/, 'a script gets only the link')
    const { share } = JSON.parse(await output('shares', 'create', 'shown', '--vnc', '--expires', '1d', '--json'))
    assert.deepEqual([share.allow_browser, share.allow_vnc], [false, true])
    assert.match(await output('shares', 'create', 'shown', '--vnc', '--browser'), /^http:/)
    const rows = (await output('shares', 'shown'))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/))
    assert.deepEqual(rows[0], ['ID', 'OPENS', 'EXPIRES', 'USES', 'LAST USED', 'CREATED'])
    assert.deepEqual(
      new Map(rows.slice(1).map(([, opens, expires, uses]) => [opens, [/^\d{4}-/.test(expires!), uses]])),
      new Map([
        ['page', [false, '0']],
        ['page and desktop', [false, '0']],
        ['desktop (view only)', [true, '0']],
      ]),
    )
    assert.ok((await output('shares', 'ls', 'shown', '--long')).includes(link.trim()))
    const ids = rows.slice(1).map(([id]) => id!)
    assert.equal(await output('shares', 'rm', 'shown', ...ids), ids.map((id) => `${id} is deleted\n`).join(''))
    assert.equal(await output('shares', 'shown'), '')
  })

  test('opens the page and the desktop by links, and starts the computer for it', async () => {
    await output('create', 'paged')
    await output('stop', 'paged')
    const link = /^http:\/\/paged\.\S+\/\?access_token=pp_access_[\w-]+\n$/
    assert.match(await output('open', 'paged', '--print'), link)
    const { computer, session } = JSON.parse(await output('open', 'paged', '--vnc', '--json'))
    assert.deepEqual([computer.state, session.kind], ['running', 'vnc'])
  })

  test('relays the desktop to VNC clients, until the computer stops or the command ends', async (t) => {
    await output('create', 'drawn')
    const guest = createServer((connection) => {
      connection.on('error', () => {}).write('RFB 003.008\n')
      connection.pipe(connection)
    })
    await once(guest.listen(0, '127.0.0.1'), 'listening')
    t.after(() => guest.close())
    const dial = () => connect((guest.address() as AddressInfo).port, '127.0.0.1')
    t.mock.method(server.engine.desktops, 'open', async () => ({
      connect: async () => dial(),
      ended: new Promise(() => {}),
    }))
    const env = { CARREL_URL: server.url, CARREL_TOKEN: server.token }
    const child = home.spawn(['computers', 'vnc', 'drawn'], { env })
    const result = resultOf(child)
    const [line] = await once(child.stdout, 'data')
    const view = () => connect(Number(new URL(String(line)).port), '127.0.0.1')
    const viewer = view()
    assert.equal(String((await once(viewer, 'data'))[0]), 'RFB 003.008\n')
    viewer.write('pressed')
    assert.equal(String((await once(viewer, 'data'))[0]), 'pressed')
    const closed = once(viewer, 'close')
    await output('stop', 'drawn')
    await closed
    await once(view().resume(), 'close')
    child.kill('SIGINT')
    const { exitCode, stderr } = await result
    assert.equal(exitCode, 0)
    assert.match(
      stderr,
      /^carrel: The connection has ended: the computer .*\ncarrel: Cannot create an access session: .*\n$/,
    )
  })

  test('a user at a terminal chooses what is left out', async () => {
    for (const handle of ['first', 'second']) await output('create', handle)
    const user = new CliUser(server)
    await user.home.run(['login', server.token, '--url', server.url])
    const stop = await user.atTerminal(['computers', 'stop'], [['or a handle) ', () => 'second']])
    assert.equal(stop.exitCode, 0, stop.screen)
    assert.match(stop.screen, /^ +HANDLE +STATE .*\r\n(?:.*\r\n)* *\d+ +second +running .*second is stopped\r\n$/ms)
    const none = await user.atTerminal(['computers', 'stop'], [['or a handle) ', () => '99']])
    assert.deepEqual([none.exitCode, /carrel: Nothing was done/.test(none.screen)], [2, true], none.screen)
    await output('ports', 'publish', 'first', '8080')
    const withdraw = await user.atTerminal(['computers', 'ports', 'withdraw', 'first'], [['or the port) ', () => '1']])
    assert.match(withdraw.screen, /Port 8080 of first is withdrawn/)
    user.home[Symbol.dispose]()
  })

  test('says what is wrong before anything is done', async () => {
    const wrong: [string[], number, RegExp][] = [
      [['create', 'big', '--memory', '6G'], 2, /needs both --memory and --storage/],
      [['create', 'big', '--memory', '6Q', '--storage', '20G'], 2, /has to be a size such as 6G/],
      [['create', 'big', '--size', 'ram-4g', '--memory', '6G', '--storage', '20G'], 2, /together/],
      [['create', 'Big!'], 1, /handle/],
      [['create', 'big', '--size', 'ram-3g'], 1, /ram-3g/],
      [['get', 'nobody'], 1, /nobody.*\n +"carrel computers" lists the computers/],
      [['rm', '--yes', 'nobody'], 1, /nobody/],
      [['snapshots', 'create'], 2, /The computer is missing: .*"carrel computers snapshots create <computer>"/],
      [['snapshots', 'rm', 'none'], 1, /none/],
      [['restore'], 2, /The snapshot is missing/],
      [['restore', 'none', 'big'], 1, /none/],
      [['fork', 'nobody', '--count', '0'], 2, /"0" as the number of copies/],
      [['fork', 'nobody'], 1, /nobody/],
      [['resize', 'nobody'], 2, /The size is missing/],
      [['transfer', 'nobody', 'here'], 1, /nobody/],
      [['open', 'nobody'], 1, /nobody/],
      [['ssh', 'nobody'], 1, /nobody/],
      [['shares', 'create', 'nobody', '--expires', 'soon'], 2, /"soon" as the lifetime of a link/],
      [['shares', 'rm', 'nobody', 'none'], 1, /nobody/],
      [['exec', 'nobody', '--', 'true'], 255, /nobody/],
      [['ports', 'publish', '8080'], 2, /The computer is missing/],
      [['ports', 'publish', 'nobody'], 2, /The port is missing/],
      [['ports', 'publish', 'nobody', '65536'], 2, /"65536" as a port/],
      [['ports', 'publish', 'nobody', '80', '--public', '--private'], 2, /--public and --private together/],
      [['stop'], 2, /The computer is missing: the command is "carrel computers stop <computer>..."/],
      [['exec', 'nobody'], 2, /The command is missing: .*<computer> -- <command>"/],
    ]
    for (const [args, exitCode, message] of wrong) {
      const result = await run(...args)
      assert.deepEqual([result.exitCode, result.stdout], [exitCode, ''], args.join(' '))
      assert.match(result.stderr, message, args.join(' '))
    }
    assert.ok(!(await output()).includes('big'))
  })
})
