/* oxlint-disable eslint/no-restricted-imports -- the driver alone is measured */
import { execFileSync } from 'node:child_process'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { readSettings } from '../../src/config/settings.ts'
import { benchData } from './settings.ts'

/**
 * Measures snapshots with the driver alone, in a process of its own, since the driver enters another mount namespace.
 * Arguments: rounds, and sizes in MiB. Prints `{ "<size>": [{ pause, clean, fork, resize }] }`, each round with
 * its milliseconds.
 */
const [rounds = 0, ...sizes] = process.argv.slice(2).map(Number)
const settings = readSettings(process.env)
const driver = await LocalDriver.open({ ...settings, networkPoolSize: 2 })
const image = (await driver.images.resolve(settings.image))!
const limits = {
  cpus: settings.computerCpus,
  memoryBytes: settings.computerMemoryBytes,
  diskBytes: settings.computerDiskBytes,
  pids: settings.computerPids,
}
let counter = 0

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function write(id: string, mebibytes: number): Promise<void> {
  const argv = ['dd', 'if=/dev/zero', 'of=/workspace/written', 'bs=1M', `count=${mebibytes}`]
  const handle = await driver.exec(id, {
    ...{ processId: `w${counter++}`, argv, env: image.env, cwd: '/', user: image.user, stdin: false, meta: {} },
  })
  const { exitCode } = await handle.wait()
  if (exitCode !== 0) throw new Error(`dd ended with ${exitCode}`)
}

function sync(): void {
  execFileSync('sync', ['--file-system', `${benchData}/pool`])
}

async function round(mebibytes: number) {
  const id = `snapshot-${counter++}`
  const specification = { hostname: 'bench', limits }
  await driver.create({ id, source: { image: image.id }, ...specification })
  await driver.start(id)
  sync()
  await write(id, mebibytes)
  const { pausedMs: pause } = await driver.snapshot(id, `${id}-dirty`)
  sync()
  const clean = await timed(() => driver.snapshot(id, `${id}-clean`))
  const fork = await timed(async () => {
    await driver.create({ id: `${id}-fork`, source: { snapshot: `${id}-clean` }, ...specification })
    await driver.start(`${id}-fork`)
  })
  const larger = { ...limits, memoryBytes: 2 * limits.memoryBytes, diskBytes: 2 * limits.diskBytes }
  const resize = await timed(() => driver.resize(id, larger))
  for (const computer of [id, `${id}-fork`]) await driver.destroy(computer)
  for (const snapshot of [`${id}-dirty`, `${id}-clean`]) await driver.deleteSnapshot(snapshot)
  return { pause, clean, fork, resize }
}

const results = new Map(sizes.map((size) => [size, [] as Awaited<ReturnType<typeof round>>[]]))
for (let count = -1; count < rounds; count++) {
  for (const [size, values] of results) {
    const value = await round(size)
    if (count >= 0) values.push(value)
  }
}
await driver.close()
process.stdout.write(JSON.stringify(Object.fromEntries(results)))
process.exit(0)
