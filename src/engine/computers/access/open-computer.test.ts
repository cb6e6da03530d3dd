import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ComputerRow } from '../../../db/schema.ts'
import type { Driver, ExecSpec } from '../../../drivers/driver.ts'
import { MemoryDriver } from '../../../drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../../drivers/memory/memory-host.ts'
import { testEngine } from '../../../../test/support/test-engine.ts'
import { createAccount } from '../../identity/accounts/owner.ts'
import type { ComputersContext } from '../computers.ts'
import { filesOf } from '../files/files-of.ts'
import { newComputer } from '../lifecycle/new-computer.ts'
import { removeSandbox } from '../manage/remove.ts'
import { openPorts } from '../ports/open-ports.ts'
import { startProcess } from '../processes/start-process.ts'
import { findComputer, openComputer, type AccessibleComputer } from './open-computer.ts'
import { includes, rights } from './rights.ts'
import { CarrelError } from '../../../errors.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

const images = ['new', 'old'].map((id) => ({ id, env: { IMAGE: id }, user: `${id}-user`, workdir: `/${id}` }))

/** The room of computers over a driver that only records what it is asked for. */
async function computersOf(t: TestContext) {
  const db = await openTestDatabase(t)
  const [accountId, otherId] = [await createAccount(db, 'a'), await createAccount(db, 'b')]
  const started: string[] = []
  const specs: ExecSpec[] = []
  const lists = { images: 0 }
  const memory = MemoryDriver.open(new MemoryHost())
  t.after(() => memory.close())
  const driver: Driver = Object.assign(Object.create(memory), {
    images: { list: async () => (lists.images++, images), build: async () => images[0] },
    get: async () => undefined,
    create: async () => {},
    start: async (id: string) => {
      if (id === 'broken') throw new CarrelError('no_capacity', 'Cannot start it')
      started.push(id)
    },
    destroy: async () => {},
    exec: async (computerId: string, spec: ExecSpec) => {
      specs.push(spec)
      const { processId, meta } = spec
      return { processId, computerId, meta, wait: () => new Promise(() => {}) }
    },
    processesOn: () => [],
    cpuMicros: () => undefined,
  })
  const engine = await testEngine({ db, driver, ownerId: accountId })
  t.after(() => engine.portWatch.close())
  const insert = async (id: string, more: Partial<ComputerRow> = {}) => {
    const row = { ...newComputer(engine, { accountId, name: id }), id, state: 'running' as const, ...more }
    await db.insertInto('computers').values(row).execute()
  }
  const [caller, other] = [
    { accountId, tokenId: 't' },
    { accountId: otherId, tokenId: 'u' },
  ]
  return { engine, caller, other, insert, started, specs, lists }
}

const program = { argv: ['true'] }

test('a process gets the environment, user and directory of the image that its own computer was made from', async (t) => {
  const { engine, caller, insert, specs, lists } = await computersOf(t)
  await insert('earlier', { image: 'old' })
  await insert('present', { image: 'new' })
  for (const name of ['earlier', 'present', 'earlier']) {
    using computer = await openComputer(engine, caller, { name }, 'run')
    await startProcess(engine, computer, { kind: 'exec', program, command: 'true' })
  }
  const given = specs.map(({ env, user, cwd }) => [env.IMAGE, user, cwd])
  const old = ['old', 'old-user', '/old']
  assert.deepEqual(given, [old, ['new', 'new-user', '/new'], old])
  assert.equal(lists.images, 1, 'an image is read once')
})

test('a sandbox that starts again gets the current image, and so do its processes', async (t) => {
  const { engine, caller, insert, started, specs } = await computersOf(t)
  await insert('stopped', { image: 'old', state: 'stopped' })
  using computer = await openComputer(engine, caller, { name: 'stopped' }, 'run')
  await startProcess(engine, computer, { kind: 'exec', program, command: 'true' })
  assert.deepEqual([started, computer.row.state, computer.row.image], [['stopped'], 'running', 'new'])
  assert.deepEqual([specs[0]!.env.IMAGE, specs[0]!.cwd], ['new', '/new'])
})

test('programs of a computer whose image no longer exists get the defaults of the current image', async (t) => {
  const { engine, caller, insert, lists } = await computersOf(t)
  await insert('orphaned', { image: 'gone' })
  for (let count = 0; count < 3; count++)
    assert.equal((await findComputer(engine, caller, { name: 'orphaned' }, 'look'))?.image.user, 'new-user')
  assert.equal(lists.images, 1)
})

test('a name creates a sandbox of the caller alone, and only one however many open it at once', async (t) => {
  const { engine, caller, other, started } = await computersOf(t)
  assert.equal(await findComputer(engine, caller, { name: 'web' }, 'look'), undefined)
  const opened = await Promise.all([1, 2, 3].map(() => openComputer(engine, caller, { name: 'web' }, 'run')))
  const [id] = new Set(opened.map((computer) => computer.id))
  assert.deepEqual([started, opened.map((computer) => computer.id)], [[id], [id, id, id]])
  assert.equal((await findComputer(engine, caller, { name: 'web' }, 'look'))?.id, id)
  assert.equal(await findComputer(engine, other, { name: 'web' }, 'look'), undefined)
})

test('an id opens a computer of the caller; any other is not_found', async (t) => {
  const { engine, caller, other, insert, started } = await computersOf(t)
  await insert('own', { state: 'stopped', lifecycle: 'durable' })
  await insert('warm', { account_id: null, name: null })
  using own = await openComputer(engine, caller, { id: 'own' }, 'run')
  assert.deepEqual([own.id, own.accountId, own.right, started], ['own', caller.accountId, 'manage', ['own']])
  for (const [who, id] of [
    [other, 'own'],
    [caller, 'warm'],
    [caller, 'none'],
    [{ ...caller, accountId: '' }, 'warm'],
  ] as const) {
    await assert.rejects(openComputer(engine, who, { id }, 'look'), { code: 'not_found' })
    assert.equal(await findComputer(engine, who, { id }, 'look'), undefined)
  }
})

test('an opened computer is in use until it is done, a found one is not', async (t) => {
  const { engine, caller, insert } = await computersOf(t)
  await insert('c')
  await findComputer(engine, caller, { id: 'c' }, 'look')
  assert.equal(engine.activity.inUse('c'), false)
  {
    using first = await openComputer(engine, caller, { id: 'c' }, 'run')
    using second = await openComputer(engine, caller, { name: 'c' }, 'run')
    first.done()
    first.done()
    assert.deepEqual([engine.activity.inUse('c'), second.id], [true, 'c'])
  }
  assert.equal(engine.activity.inUse('c'), false)
})

test('a computer that cannot be opened is not left in use', async (t) => {
  const { engine, caller, insert } = await computersOf(t)
  await insert('broken', { state: 'stopped' })
  await assert.rejects(openComputer(engine, caller, { id: 'broken' }, 'run'), { code: 'no_capacity' })
  assert.equal(engine.activity.inUse('broken'), false)
})

test('a computer whose stop was not recorded starts again', async (t) => {
  const { engine, caller, insert, started } = await computersOf(t)
  await insert('c', { state: 'stopping' })
  using computer = await openComputer(engine, caller, { id: 'c' }, 'run')
  assert.deepEqual([computer.id, started], ['c', ['c']])
})

test('a right includes those before it, and none after it', () => {
  for (const [position, right] of rights.entries())
    assert.deepEqual(
      rights.map((wanted) => includes(right, wanted)),
      rights.map((_, wanted) => wanted <= position),
    )
})

/** Never called: shows what the compiler refuses. */
export function refusals(engine: ComputersContext, row: ComputerRow, viewed: AccessibleComputer): void {
  void openPorts(engine, viewed)
  // @ts-expect-error whoever may look may not read files
  filesOf(engine, viewed)
  const withFiles = viewed as AccessibleComputer<'files'>
  filesOf(engine, withFiles)
  // @ts-expect-error a right to files does not run programs
  void startProcess(engine, withFiles, { kind: 'exec', program, command: '' })
  // @ts-expect-error a right to run programs does not delete
  void removeSandbox(engine, viewed as AccessibleComputer<'run'>, '')
  // @ts-expect-error a row is no access
  void openPorts(engine, row)
  // @ts-expect-error an id is no access
  void openPorts(engine, row.id)
  const { id, image, caller } = viewed
  const [accountId, right, done] = ['a', 'manage' as const, () => {}]
  // @ts-expect-error no other module makes one
  const made: AccessibleComputer = {
    id,
    accountId,
    caller,
    row: viewed.row,
    image,
    right,
    done,
    [Symbol.dispose]: done,
  }
  void openPorts(engine, made)
}
