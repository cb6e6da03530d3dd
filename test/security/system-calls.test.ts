import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { paths } from '../faults/host-traces.ts'
import { newSession, TestServer } from '../support/server.ts'

const systemCalls = readFileSync(new URL('./fixtures/system-calls.py', import.meta.url), 'utf8')

/** The answer of the filter. Every other answer comes from the kernel behind it. */
const ofTheFilter = new Set(['ENOSYS', 'EPERM'])

/** Calls of the fixture that must reach the kernel, by name without the bits above the 32. */
const open = [
  // unix, inet, inet6, netlink
  /^socket (1|2|10|16) of kind \d$/,
  /^socketpair 1$/,
  /^clone nothing$/,
  // Linux, 32 bits, without address randomization; querying the personality
  /^personality (0x0|0x8|0x40000|0xffffffff)$/,
]

describe('the system call filter', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
    await server.post('/files/write', { path: '/tmp/system-calls.py', content: systemCalls, sessionId })
  })
  after(() => server.stop())

  for (const [user, prefix] of [
    ['a user', ''],
    ['root', 'sudo '],
  ] as const)
    test(`refuses ${user} the same calls whatever is in the bits above the 32 that the kernel uses, in each architecture`, async (t) => {
      const { stdout, stderr } = await server.shell(`${prefix}python3 /tmp/system-calls.py`, { sessionId })
      assert.equal(stderr, '')
      const architectures: Record<string, Record<string, string> | null> = JSON.parse(stdout)
      for (const [architecture, answers] of Object.entries(architectures)) {
        if (answers === null) {
          t.diagnostic(`this kernel has no ${architecture}`)
          continue
        }
        assert.ok(Object.keys(answers).length > 900, `${architecture}: ${Object.keys(answers).length} calls`)
        const wrong = Object.entries(answers).filter(([call, answer]) => {
          const isOpen = open.some((pattern) => pattern.test(call.replace(/ \+ .*/, '')))
          return ofTheFilter.has(answer) === isOpen && !ownRefusal(call, answer)
        })
        assert.deepEqual(wrong, [], architecture)
      }
    })

  test('is compiled anew by each server, and computers that continue under an earlier one are logged', async () => {
    await server.stop()
    const running = readdirSync(join(paths.runtime, 'runtime'))
    const id = running.find((name) => existsSync(join(paths.computer(name), 'config.json')))!
    const file = join(paths.computer(id), 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    config.linux.seccomp.syscalls.pop()
    writeFileSync(file, JSON.stringify(config))
    const cache = join(paths.runtime, 'runtime', '.cache')
    mkdirSync(join(cache, 'seccomp'), { recursive: true })
    writeFileSync(join(cache, 'seccomp', '0'.repeat(64)), 'of an earlier version')

    server = await TestServer.start()
    assert.ok(!existsSync(cache))
    assert.match(server.log(), new RegExp(`${id}.*seccomp filter of an earlier version`))
  })
})

/** The kernel itself refuses raw sockets to users, with the same error as the filter. */
function ownRefusal(call: string, answer: string): boolean {
  return /^socket (2|10) of kind [35]/.test(call) && answer === 'EPERM'
}
