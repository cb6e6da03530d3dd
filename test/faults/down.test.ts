import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { Paths } from '../../src/drivers/local/paths.ts'
import { newSession, testDataDirectory, testNetwork, TestServer } from '../support/server.ts'
import { hostTraces, mountedRoots, paths } from './host-traces.ts'

const script = fileURLToPath(new URL('../../scripts/down.js', import.meta.url))

interface Result {
  code: number
  stdout: string
  stderr: string
}

function down(args: string[] = [], dataDirectory = testDataDirectory): Promise<Result> {
  const env = { ...process.env, CARREL_DATA: dataDirectory }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
    child.stdin?.end()
  })
}

/** Returns what a data directory has on this host besides its files. */
async function left(of: Paths): Promise<string[]> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${of.data}/`))
  const processes = readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && commandOf(pid).includes(`${of.data}/`)
    } catch {
      return false
    }
  })
  const groups = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((name) => `/sys/fs/cgroup/${name}`)]
  return [
    ...mounts,
    ...processes.map((pid) => `process ${pid}: ${commandOf(pid)}`),
    ...groups.map((tree) => tree + of.cgroup('')).filter((group) => existsSync(group)),
    ...readdirSync('/sys/class/net').filter((name) => name.startsWith(of.interfacePrefix)),
    ...(existsSync(of.runtime) ? [of.runtime] : []),
    ...(await output('nft', ['list', 'tables'])).split('\n').filter((line) => line.endsWith(of.firewallTable)),
    ...(await output('losetup', ['--all']))
      .split('\n')
      .filter((line) => line.includes(`(${of.data}/`) && !isKeptElsewhere(line.split(':')[0]!)),
  ]
}

/**
 * Whether another mount namespace holds a device: other servers on this host may have copied every mount into their
 * own.
 */
function isKeptElsewhere(device: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(` ${device} `)
    } catch {
      return false
    }
  })
}

function commandOf(pid: string): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
}

function output(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile(program, args, (error, stdout) => (error ? reject(error) : resolve(stdout))),
  )
}

describe('npm run down', { timeout: 300_000 }, () => {
  let server: TestServer | undefined
  after(() => server?.stop())

  test('ends server, computers and helpers, leaves nothing on the host, and keeps the data', async () => {
    server = await TestServer.start()
    const sessionId = newSession()
    await server.post('/memory/write', { path: 'kept', content: 'kept' })
    await server.post('/process/start', {
      command: 'trap "" TERM; while :; do sleep 1; done',
      processId: 'deaf',
      sessionId,
    })
    const { processes } = (await server.post('/process/list', { sessionId })).body
    assert.equal(processes[0].status, 'running')

    const { code, stdout, stderr } = await down()
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(
      stdout,
      new RegExp(`^Ended everything of ${testDataDirectory} that was running: [1-9]\\d* computers?\\.\\n$`),
    )
    assert.equal(server.process.exitCode, 0, 'the server ended in order')
    assert.deepEqual(await left(paths), [])
    const { descriptions: _, slots: __, ...traces } = hostTraces()
    assert.deepEqual(Object.values(traces).flat(), [])
    assert.deepEqual(mountedRoots(), { mounts: [], directories: [] })
    assert.ok(existsSync(join(testDataDirectory, 'carrel.db')) && existsSync(join(testDataDirectory, 'owner.token')))

    const again = await down()
    assert.deepEqual([again.code, again.stderr], [0, ''], 'nothing to do when nothing runs')
    assert.match(again.stdout, /: 0 computers\.\n$/)

    server = await TestServer.start()
    assert.equal((await server.post('/memory/read', { path: 'kept' })).body.content, 'kept')
    assert.equal((await server.shell('echo works', { sessionId })).stdout, 'works\n')
    const list = (await server.post('/process/list', { sessionId })).body.processes as {
      processId: string
      status: string
    }[]
    assert.equal(list.find(({ processId }) => processId === 'deaf')?.status, 'stopped')
  })

  test('deletes the data too, once that is confirmed', async () => {
    const directory = `${testDataDirectory}-down`
    const driver = await LocalDriver.open({
      dataDirectory: directory,
      runtime: undefined,
      network: testNetwork,
      allowedAddresses: [],
      resolvers: [],
      networkPoolSize: 0,
    })
    await driver.close()
    const other = new Paths(directory)
    assert.ok((await left(other)).length > 3)

    const unused = await down(['--delete-data', '--yes'], directory)
    assert.deepEqual([unused.code, unused.stdout], [1, ''])
    assert.match(unused.stderr, /^Cannot delete ".*": no server of Carrel has used it; set CARREL_DATA\.\n$/)
    await writeFile(join(directory, 'server.lock'), '')
    const unsure = await down(['--delete-data'], directory)
    assert.deepEqual([unsure.code, unsure.stdout], [1, ''])
    assert.match(unsure.stderr, /^Cannot ask whether to delete ".*": there is no terminal; add --yes to confirm\.\n$/)
    assert.ok(existsSync(directory))
    const wrong = await down(['--delete'], directory)
    assert.match(wrong.stderr, /^Cannot use "--delete": /)

    const { code, stdout, stderr } = await down(['--delete-data', '--yes'], directory)
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /\nDeleted .*\. Packages that npm start installed are kept\.\n$/)
    assert.ok(!existsSync(directory))
    assert.deepEqual(await left(other), [])
  })
})
