import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer } from '../support/server.ts'

/**
 * Ids that a guest writes into its own files to run as a user of the host: to the kernel, -1 means "keep the current
 * id".
 */
const foreign = [
  '4294967295',
  '-1',
  '4294967294',
  '65536',
  '2000000000',
  '0x0',
  '1e3',
  '',
  ' 0',
  '18446744073709551615',
]

describe('ids outside the range of the computer', { timeout: 300_000 }, () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  /** Writes lines into the guest's files, as its root may. */
  const setAccounts = async (sessionId: string, passwd: string, group: string) => {
    for (const [path, content] of [
      ['/etc/passwd', passwd],
      ['/etc/group', group],
    ]) {
      const { status } = await server.post('/files/write', { path, content, sessionId })
      assert.equal(status, 200)
    }
  }

  const whole = {
    passwd: 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/bash\n',
    group: 'node:x:1000:\n',
  }

  for (const [where, accounts] of [
    [
      'user id',
      (id: string) => ({ ...whole, passwd: `root:x:0:0::/root:/bin/sh\nnode:x:${id}:1000::/home/node:/bin/bash\n` }),
    ],
    [
      'group id',
      (id: string) => ({ ...whole, passwd: `root:x:0:0::/root:/bin/sh\nnode:x:1000:${id}::/home/node:/bin/bash\n` }),
    ],
    ['further group', (id: string) => ({ ...whole, group: `node:x:1000:\nother:x:${id}:node\n` })],
  ] as const)
    test(`as ${where} start nothing, are reported clearly, and can be corrected`, async () => {
      const sessionId = newSession()
      await server.shell('true', { sessionId })
      for (const id of foreign) {
        const { passwd, group } = accounts(id)
        await setAccounts(sessionId, passwd, group)
        for (const [path, body] of [
          ['/execute', { code: 'sleep 60', language: 'shell' }],
          ['/process/start', { command: 'sleep 60' }],
          ['/interpret', { code: '1', language: 'python' }],
        ] as const) {
          const answer = await server.post(path, { ...body, sessionId })
          assert.equal(answer.status, 409, `${path} with ${JSON.stringify(id)}: ${JSON.stringify(answer.body)}`)
          assert.match(answer.body.error, /in \/etc\/(passwd|group) is ".*", not a number from 0 to 65535/)
        }
      }
      await setAccounts(sessionId, whole.passwd, whole.group)
      assert.equal((await server.shell('id -u', { sessionId })).stdout, '1000\n')
    })

  test('give no program rights on the host, even if the files change while it starts', async () => {
    const sessionId = newSession()
    await server.shell('true', { sessionId })
    const passwords = (id: string) => `root:x:0:0::/root:/bin/sh\nnode:x:${id}:${id}::/home/node:/bin/bash\n`
    for (let round = 0; round < 10; round++) {
      const change = server.post('/files/write', { path: '/etc/passwd', content: passwords(foreign[0]!), sessionId })
      const start = server.post('/process/start', { command: 'sleep 60', sessionId })
      await Promise.all([change, start])
      assert.deepEqual(hostRootSleepers(), [])
      await server.post('/files/write', { path: '/etc/passwd', content: passwords('1000'), sessionId })
    }
  })

  test('inside the range are all allowed', async () => {
    const sessionId = newSession()
    await server.shell('true', { sessionId })
    await setAccounts(sessionId, 'node:x:65535:65535::/tmp:/bin/sh\n', 'a:x:0:node\nb:x:65534:node\n')
    const { stdout } = await server.shell('id -u; id -g; id -G', { sessionId, cwd: '/tmp' })
    assert.equal(stdout, '65535\n65535\n65535 0 65534\n')
  })
})

/** Returns the process ids of test programs that are the host's root within their own user namespace. */
function hostRootSleepers(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      if (!/^\d+$/.test(pid) || readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'sleep\n') return false
      const isGuest = !/^\s*0\s+0\s/.test(readFileSync(`/proc/${pid}/uid_map`, 'utf8'))
      return isGuest && /^[UG]id:.*\t0(\t|$)/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    } catch {
      return false
    }
  })
}
