import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serverEnvironment, serverProgram } from '../support/server.ts'

const npmStart = fileURLToPath(new URL('../../scripts/start.js', import.meta.url))

describe('a start that is refused says why in one sentence', { timeout: 120_000 }, () => {
  const taken = createServer()
  before(async () => {
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
  })
  after(() => taken.close())

  async function refusalOf(program: string, env: Record<string, string>) {
    const child = spawn(process.execPath, [program], {
      env: { ...serverEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
    return { code: code as number | null, stdout, stderr }
  }

  for (const [env, sentence] of [
    [{ CARREL_PORT: 'abc' }, /^Cannot start: CARREL_PORT is "abc"; set it to a number from 0 to 65535$/],
    [{ CARREL_DATA: '/dev/null' }, /^Cannot start: CARREL_DATA is "\/dev\/null", and that is no folder; set it to /],
    [
      { CARREL_DATA: '/etc/passwd/x' },
      /^Cannot start: CARREL_DATA is "\/etc\/passwd\/x", and a part of that is no folder; /,
    ],
    [
      { CARREL_DATA: '/proc/x' },
      /^Cannot start: CARREL_DATA is "\/proc\/x", and no folder can be made there \(ENOENT\); /,
    ],
    [{ CARREL_DATA: '/sys/x' }, /^Cannot start: CARREL_DATA is "\/sys\/x", and that cannot be written; /],
    [
      { CARREL_RUNTIME: 'nonsuch' },
      /^Cannot start: CARREL_RUNTIME is "nonsuch", and there is no such program; set it to /,
    ],
    [
      { CARREL_IMAGE: 'nonsuch' },
      /^Cannot start: CARREL_IMAGE is "nonsuch", and there is neither a recipe nor an image /,
    ],
    [
      { CARREL_HOST: '192.0.2.1' },
      /^Cannot start: this host has no address 192\.0\.2\.1; set CARREL_HOST to one that it has$/,
    ],
    [{ CARREL_PUBLIC_URL: 'x' }, /^Cannot start: CARREL_PUBLIC_URL is "x"; set it to an origin such as https:/],
  ] as const)
    test(`for ${JSON.stringify(env)}`, async () => {
      const { code, stdout, stderr } = await refusalOf(serverProgram, env)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr.trimEnd(), sentence)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
    })

  test('for a port that is taken, also by npm start', async () => {
    const port = String((taken.address() as AddressInfo).port)
    const server = await refusalOf(serverProgram, { CARREL_PORT: port })
    assert.deepEqual([server.code, server.stdout], [1, ''])
    assert.equal(server.stderr, `Cannot start: port ${port} on 127.0.0.1 is taken; set CARREL_PORT to a free one\n`)
    const start = await refusalOf(npmStart, { CARREL_PORT: port })
    assert.deepEqual([start.code, start.stdout], [1, ''])
    assert.match(
      start.stderr,
      new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: a program already listens there; .*\\n$`),
    )
  })
})
