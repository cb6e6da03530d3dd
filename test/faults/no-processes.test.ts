import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lockDataDirectory } from '../../src/data-lock.ts'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { ended, Subject } from '../driver/subject.ts'
import { testDataDirectory, testNetwork } from '../support/server.ts'
import { hostTraces, monitorPid, paths } from './host-traces.ts'

const recipe = fileURLToPath(new URL('../../images/slim', import.meta.url))
const tree = existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids'

mkdirSync(testDataDirectory, { recursive: true, mode: 0o711 })
lockDataDirectory(testDataDirectory)

async function open(t: TestContext): Promise<Subject> {
  const driver = await LocalDriver.open({
    dataDirectory: testDataDirectory,
    runtime: undefined,
    network: testNetwork,
    allowedAddresses: [],
    resolvers: [],
    networkPoolSize: 12,
  })
  const subject = new Subject({ driver, image: await driver.images.build(recipe, () => {}), recipe })
  t.after(async () => {
    await subject.clear()
    await driver.close()
  })
  return subject
}

/**
 * Moves a program into a control group in which it may create only as many more processes and threads as `allow` says.
 */
function confine(t: TestContext, pid: number): { allow: (more: number) => void; free: () => void } {
  const own = /(?:pids|^0):[^:]*:?(\/.*)$/m.exec(
    readFileSync(`/proc/${pid}/cgroup`, 'latin1')
      .split('\n')
      .find((line) => line.includes(':pids:') || line.startsWith('0::'))!,
  )![1]!
  const group = join(tree, `carrel-few-${paths.tag}-${pid}`)
  mkdirSync(group)
  writeFileSync(join(group, 'cgroup.procs'), String(pid))
  const setLimit = (limit: string) => writeFileSync(join(group, 'pids.max'), limit)
  const free = () => setLimit('max')
  t.after(() => {
    free()
    for (const left of readFileSync(join(group, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean))
      writeFileSync(join(tree, own, 'cgroup.procs'), left)
    rmdirSync(group)
  })
  return { allow: (more) => setLimit(String(readdirSync(`/proc/${pid}/task`).length + more)), free }
}

/** Asserts that nothing of a computer is left. `before` are the slots of the other computers of this data directory. */
function assertNothingLeft(id: string, before: string[]): void {
  const { containers, cgroups, slots, namespaces, interfaces } = hostTraces()
  assert.ok(!containers.includes(id), 'state of the runtime is left')
  assert.ok(!cgroups.includes(id), 'a control group is left')
  assert.ok(!existsSync(join(paths.slots, id)))
  // Slots that wait for a computer do not count.
  assert.deepEqual(slots, before)
  const maxCount = before.length + 12
  assert.ok(namespaces.length <= maxCount && interfaces.length <= maxCount, `${namespaces.length} ${interfaces.length}`)
}

test('without room for processes on the host each start is refused as unavailable, and leaves nothing', async (t) => {
  const subject = await open(t)
  const { driver } = subject
  const running = await subject.computer(t)
  await subject.shell(running, 'true')
  const { allow, free } = confine(t, monitorPid())
  let refused = 0
  for (let room = 0; room < 8; room++) {
    const spec = subject.specification()
    await driver.create(spec)
    allow(room)
    for (const tty of [undefined, { cols: 80, rows: 24 }]) {
      const failure = await subject.exec(running, ['true'], { tty }).then(ended, (error: unknown) => error)
      if (failure instanceof Error) {
        assert.equal((failure as Error & { code: string }).code, 'unavailable', failure.message)
        refused++
      }
    }
    const failure = await driver.start(spec.id).then(
      () => undefined,
      (error: Error & { code: string }) => error,
    )
    free()
    if (failure) {
      assert.equal(failure.code, 'unavailable', failure.message)
      assert.ok(!failure.message.includes(testDataDirectory), failure.message)
      const { containers, cgroups } = hostTraces()
      assert.ok(!containers.includes(spec.id) && !cgroups.includes(spec.id), 'something is left')
      await driver.start(spec.id)
      refused++
    }
    assert.equal((await subject.shell(spec.id, 'echo fine')).stdout, 'fine\n')
    await driver.destroy(spec.id)
  }
  assert.ok(refused >= 5, `${refused} refused`)
})

test('a computer is destroyed completely although there is no room for the program that does it', async (t) => {
  const subject = await open(t)
  const { slots } = hostTraces()
  const id = await subject.computer()
  const sleeping = await subject.exec(id, ['sleep', '1000'])
  const { allow, free } = confine(t, process.pid)
  allow(0)
  await subject.driver.destroy(id)
  free()
  assert.equal((await sleeping.wait()).reason, 'stopped')
  assertNothingLeft(id, slots)
})
