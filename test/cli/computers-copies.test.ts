import assert from 'node:assert/strict'
import { after, before, describe, mock, test } from 'node:test'
import { takeDueSnapshots } from '../../src/engine/computers/snapshots/automatic-snapshots.ts'
import { quoteFor, topUp } from '../../src/engine/money/ledger/top-up.ts'
import { TestApp } from '../support/test-app.ts'
import { CliUser } from './cli-user.ts'

const env = {
  CARREL_MEMORY_OVERCOMMIT: '100',
  CARREL_DISK_OVERCOMMIT: '100',
  CARREL_SIGN_INS_PER_MINUTE: '0',
  CARREL_SNAPSHOT_HOURS: '2',
}

describe('carrel computers: sizes, snapshots, copies and owners', { timeout: 120_000 }, () => {
  let server: TestApp
  let user: CliUser
  before(async () => {
    server = await TestApp.start({ env })
    user = await CliUser.signIn(server)
    await output('create', 'origin')
    await output('exec', 'origin', '--', 'sh', '-c', 'echo then > file')
  })
  after(async () => {
    user.home[Symbol.dispose]()
    await server.stop()
  })

  const run = (...args: string[]) => user.home.run(['computers', ...args])
  const output = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run(...args)
    assert.equal(exitCode, 0, `${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const json = async (...args: string[]) => JSON.parse(await output(...args, '--json'))
  const fileOf = (name: string) => output('exec', name, '--', 'cat', 'file')
  const snapshot = async (name: string) => (await output('snapshots', 'create', name)).trim()

  test('resize changes what is named, and capacity tells what fits', async () => {
    await output('create', 'sized')
    assert.equal(
      await output('resize', 'sized', '--size', 'ram-4g'),
      'sized has 4.0 GiB memory, 10.0 GiB storage (ram-4g)\n',
    )
    const { computer, restart_required } = await json('resize', 'sized', '--storage', '12G')
    assert.deepEqual([computer.requested_memory_mib, computer.size_preset, restart_required], [4096, 'custom', false])
    assert.equal(await output('resize', 'sized', '--memory', '8G', '--no-wait'), 'sized is updating\n')
    await output('start', 'sized')
    const fits = await output('capacity', '--size', 'ram-8g')
    assert.match(
      fits,
      /^Size +8\.0 GiB memory, 25\.0 GiB storage \(ram-8g\)\nFits +yes\nFree +\d.*\nLargest +64\.0 GiB/,
    )
    const huge = await run('capacity', 'origin', '--storage', '1000G')
    assert.deepEqual([huge.exitCode, /^Fits +no: invalid size$/m.test(huge.stdout)], [1, true], huge.stdout)
  })

  test('a resize that needs a restart says so', async () => {
    const stats = server.driver.stats.bind(server.driver)
    mock.method(server.driver, 'stats', async (id: string) => ({ ...(await stats(id)), memoryBytes: 7 * 1024 ** 3 }))
    const { exitCode, stderr } = await run('resize', 'sized', '--memory', '4G')
    mock.restoreAll()
    assert.equal(exitCode, 0, stderr)
    assert.match(stderr, /^sized uses too much memory to get this size as it runs: it is restarted\.$/m)
  })

  test('snapshots are taken, listed with automatic ones, restored and deleted', async () => {
    const none = await run('snapshots', 'ls', 'origin')
    assert.deepEqual([none.exitCode, none.stdout], [0, ''])
    assert.match(none.stderr, /no snapshot yet: "carrel computers snapshots create" takes one/)
    const id = await snapshot('origin')
    assert.match(id, /^\w{20}$/, 'a script gets only the id')
    await server.db
      .updateTable('computers')
      .set((eb) => ({ created_at: eb('created_at', '-', 1e7) }))
      .execute()
    await server.db
      .updateTable('snapshots')
      .set((eb) => ({ created_at: eb('created_at', '-', 1e7) }))
      .execute()
    await takeDueSnapshots(server.engine)
    const rows = (await output('snapshots', 'origin')).trimEnd().split('\n')
    assert.match(rows[0]!, /^ID +COMPUTER +STATE +KIND +SIZE +ADDED +CREATED$/)
    assert.match(rows[1]!, /^\w+ +origin +\w+ +automatic /)
    assert.match(rows[2]!, new RegExp(`^${id} +origin +ready +manual +5 B +5 B +\\d{4}-`))
    assert.match(await output('snapshots', 'ls', '--long'), /^ID .* PAUSE +IMAGE +REASON$/m)
    await output('exec', 'origin', '--', 'sh', '-c', 'echo now > file')
    assert.equal(await output('restore', id, 'again', '--name', 'Again', '--size', 'ram-4g'), 'again\n')
    assert.equal(await fileOf('again'), 'then\n')
    const { computers } = await json('get', 'again')
    assert.deepEqual([computers[0].display_name, computers[0].size_preset], ['Again', 'ram-4g'])
    assert.match(await output('get', 'again'), new RegExp(`^Snapshot +${id}$`, 'm'))
    assert.equal((await json('snapshots', 'create', 'again')).snapshot.computer_handle, 'again')
    assert.equal(await output('snapshots', 'rm', id, '--yes'), `${id} is deleted\n`)
    assert.equal((await run('snapshots', 'rm', id)).exitCode, 1)
  })

  test('a restore in place replaces the files, of the snapshot or of another computer, after a yes', async () => {
    await output('create', 'back')
    await output('exec', 'back', '--', 'sh', '-c', 'echo then > file')
    const id = await snapshot('back')
    await output('exec', 'back', '--', 'sh', '-c', 'echo now > file')
    const unsure = await run('restore', id, '--in-place')
    assert.equal(unsure.exitCode, 2)
    assert.match(
      unsure.stderr,
      new RegExp(`confirm with --yes\\. Replace all files of back by those of snapshot ${id} of back\\?`),
    )
    const no = await user.atTerminal(['computers', 'restore', id, '--in-place'], [['(yes/no) ', () => 'no']])
    assert.equal(no.exitCode, 2, no.screen)
    assert.match(no.screen, /Nothing was done/)
    assert.equal(await fileOf('back'), 'now\n')
    assert.equal(await output('restore', id, '--in-place', '--yes'), `back has the files of ${id}, and is running\n`)
    assert.equal(await fileOf('back'), 'then\n')
    await output('create', 'other')
    await output('restore', id, 'other', '--in-place', '--yes')
    assert.equal(await fileOf('other'), 'then\n')
  })

  test('fork makes copies, and scripts get their handles', async () => {
    assert.equal(await output('fork', 'origin', 'leaf', '--count', '3'), 'leaf-1\nleaf-2\nleaf-3\n')
    const { computers } = await json('fork', 'origin', 'twig')
    assert.deepEqual(
      computers.map(({ handle, state }: Record<string, string>) => [handle, state]),
      [['twig', 'running']],
    )
  })

  test('transfer gives a computer to another workspace, after a yes', async () => {
    await output('create', 'gift')
    const team = (await user.output('create', 'Team')).trim()
    const { prices } = server.engine
    const quote = quoteFor(prices, { tier: 'starter' })
    await topUp(server.db, prices, { accountId: team, key: `pay:${team}`, method: 'test', quote })
    const unsure = await run('transfer', 'gift', 'Team')
    assert.deepEqual([unsure.exitCode, /confirm with --yes/.test(unsure.stderr)], [2, true], unsure.stderr)
    assert.equal(await output('transfer', 'gift', 'Team', '--yes'), 'gift belongs to Team now, and is running\n')
    assert.equal((await run('get', 'gift')).exitCode, 1)
    await user.output('use', team)
    assert.match(await output('ls'), /^gift /m)
  })
})
