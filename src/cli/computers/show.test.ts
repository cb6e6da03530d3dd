import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeComputer } from '../../../sdk/testing/fake-computers.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

test('get says why a computer does not run', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  for (const [fields, reason] of [
    [{ state: 'stopped', state_reason: 'spending_limit' }, 'a spending limit of the workspace is used up'],
    [{ state: 'stopped', state_reason: 'out_of_credits' }, 'the workspace has no credit left'],
    [{ state: 'stopped', state_reason: 'some_other' }, 'some other'],
    [{ state: 'failed', state_reason: 'no image', failure_reason: 'no image' }, 'no image'],
    [{ state: 'running' }, undefined],
  ] as const) {
    server.computers.splice(0, 1, fakeComputer('build', fields))
    const { stdout, stderr } = await home.run(['computers', 'get', 'build'], { server })
    assert.equal(/^Reason +(.*)$/m.exec(stdout)?.[1], reason, stderr)
  }
})

test('get shows where a computer is reached, and its ports', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const {
    id: computer_id,
    created_at,
    updated_at,
  } = server.computers[server.computers.push(fakeComputer('build')) - 1]!
  const published = { computer_id, created_at, updated_at, state: 'ready', failure_reason: null } as const
  server.ports.push(
    { ...published, id: '1', port: 80, name: 'web', visibility: 'public', public_url: 'http://80.test' },
    { ...published, id: '2', port: 81, name: '', visibility: 'private', public_url: 'http://81.test' },
  )
  const page = 'http://build.computers.test/'
  const address = { ssh_host: 'h.test', ssh_port: 2201, ssh_user: 'node', ssh_host_public_key: 'key' }
  const connection = { web_url: page, vnc_url: `${page}desktop`, ssh_available: true, ...address }
  const ports = [
    ['Port 80', 'http://80.test (web, public)'],
    ['Port 81', 'http://81.test (private)'],
  ]
  const desktop = ['Desktop', connection.vnc_url]
  for (const [given, shown] of [
    [connection, [desktop, ['SSH', 'ssh -p 2201 node@h.test']]],
    [{ ...connection, ssh_host: null, ssh_port: null }, [desktop, ['SSH', 'carrel ssh build']]],
    [{ ...connection, vnc_url: '', ssh_available: false }, []],
    [undefined, []],
  ] as const) {
    server.connection = given
    const get = ['computers', 'get', 'build']
    const [{ stdout, stderr }, json] = await Promise.all([
      home.run(get, { server }),
      home.run([...get, '--json'], { server }),
    ])
    const lines = stdout.split('\n').map((line) => line.split(/ {2,}/))
    const at = lines.findIndex(([title]) => title === 'Page')
    assert.deepEqual(lines.slice(at, -3), [['Page', page], ...shown, ...ports], stderr)
    const { computers } = JSON.parse(json.stdout)
    assert.deepEqual(
      [computers[0].handle, computers[0].ports, computers[0].connection],
      ['build', server.ports, given ? { handle: 'build', ...given } : null],
    )
  }
})

test('lists are in the order of creation, and of handles where that is one moment', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  for (const [handle, created_at] of [
    ['late', '2026-01-02T00:00:00Z'],
    ['b', '2026-01-01T00:00:00Z'],
    ['a', '2026-01-01T00:00:00Z'],
  ] as const)
    server.computers.push(fakeComputer(handle, { created_at }))
  const { stdout } = await home.run(['computers', 'ls'], { server })
  assert.deepEqual(stdout.match(/^[a-z]+(?= )/gm), ['a', 'b', 'late'])
})
