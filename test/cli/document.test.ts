import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { verbs } from '../../src/cli/verbs.ts'
import { unsupportedVerbs } from '../../src/cli/unsupported-verbs.ts'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { TestServer } from '../support/server.ts'

/** Every command of PaperPod's document, as it is spelled there. */
const documented =
  `exec write read ls watch start ps kill expose browser:screenshot browser:pdf browser:scrape browser:markdown browser:content
  browser:trace test browser:acquire browser:connect browser:sessions browser:limits ai ai:embed ai:image ai:transcribe ai:models
  interpret mem:write mem:read mem:ls mem:rm mem:usage balance status help login version`.split(/\s+/)

interface Line {
  /** The command line of the document, with its placeholders filled in. */
  line: string
  stdin?: string
  stdout: RegExp
  /** Default: 0. */
  exitCode?: number
}

/** In an order in which each command finds what it needs. */
const lines: Line[] = [
  { line: 'ppod help', stdout: /^Usage: ppod .*^ {2}mem:usage /ms },
  { line: 'ppod exec --help', stdout: /^Usage: ppod exec / },
  { line: 'ppod version', stdout: /^ppod (\d+\.\d+\.\d+)\nserver \1 at http:\S+\n$/ },
  { line: "ppod exec 'echo hello world'", stdout: /^hello world\n$/ },
  { line: "ppod exec 'echo hello world' && ppod status", stdout: /^hello world\n.*sandbox/is },
  { line: 'ppod status', stdout: /server/i },
  { line: "ppod exec 'bash --version' --lang shell", stdout: /^GNU bash/ },
  { line: "ppod exec 'exit 3'", stdout: /^$/, exitCode: 3 },
  { line: 'ppod write /workspace/script.py', stdin: 'print("from a file")\n', stdout: /^Wrote 21 bytes/ },
  { line: 'ppod write copy.txt local.txt', stdout: /^Wrote 6 bytes/ },
  { line: "ppod exec 'python3 script.py'", stdout: /^from a file\n$/ },
  { line: 'ppod read /workspace/script.py', stdout: /^print/ },
  { line: 'ppod ls /workspace', stdout: /copy\.txt\n.*script\.py\n/ },
  { line: "ppod start 'sleep 600' --id sleeper", stdout: /^sleeper\n$/ },
  { line: 'ppod ps', stdout: /sleeper .*running/ },
  { line: 'ppod kill sleeper', stdout: /^Killed sleeper\n$/ },
  { line: 'ppod expose 8080', stdout: /^http:\/\/8080-[a-z0-9]+-p8080_v1\.\S+\n$/ },
  { line: 'ppod mem:write data/results.json', stdin: '{"kept":true}', stdout: /^Wrote 13 bytes/ },
  { line: 'ppod mem:read data/results.json', stdout: /^{"kept":true}$/ },
  { line: 'ppod mem:ls', stdout: /data\/results\.json\n$/ },
  { line: 'ppod mem:usage', stdout: /^13 B of 10\.0 MiB in 1 file\n$/ },
  { line: 'ppod mem:rm data/results.json', stdout: /^Deleted/ },
]

describe("the commands of PaperPod's document", { timeout: 300_000 }, () => {
  let server: TestServer
  let token: string
  const home = new CliHome()

  before(async () => {
    server = await TestServer.start()
    token = await server.newAccount()
    symlinkSync(fileURLToPath(new URL('../../bin/carrel.js', import.meta.url)), join(home.path, 'ppod'))
    writeFileSync(join(home.path, 'local.txt'), 'local\n')
  })
  after(async () => {
    home[Symbol.dispose]()
    await server.stop()
  })

  /** Runs a line through a shell and the launcher, as a user types it. */
  const type = (line: string, { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> } = {}) =>
    new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
      const path = `${home.path}:${process.env['PATH']}`
      const options = { cwd: home.path, env: { ...home.env({ env }), PATH: path } }
      const child = execFile('sh', ['-c', line], options, (error, stdout, stderr) =>
        resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
      )
      child.stdin!.end(stdin)
    })

  test('ppod login <token> saves it where the document says', async () => {
    const { exitCode, stderr } = await type(`ppod login ${token}`, { env: { PAPERPOD_URL: server.url } })
    assert.equal(exitCode, 0, stderr)
    const saved = JSON.parse(readFileSync(join(home.path, '.paperpod/config.json'), 'utf8'))
    assert.deepEqual([saved.token, saved.url], [token, server.url])
  })

  for (const { line, stdin, stdout: expected, exitCode = 0 } of lines)
    test(line, async () => {
      const result = await type(line, { stdin })
      assert.equal(result.exitCode, exitCode, result.stderr)
      assert.match(result.stdout, expected)
    })

  test('PAPERPOD_TOKEN takes precedence over the saved token', async () => {
    const { stderr } = await type('ppod ps', { env: { PAPERPOD_TOKEN: 'pp_sess_wrong' } })
    assert.match(stderr, /The token from PAPERPOD_TOKEN was refused/)
  })

  test('each is offered, or reported as not offered yet', async () => {
    const missing = documented.filter((name) => !verbs[name])
    assert.deepEqual(
      missing.filter((name) => !unsupportedVerbs.includes(name)),
      [],
    )
    const tried = ['browser:screenshot', 'ai', 'balance'].filter((name) => missing.includes(name))
    for (const name of tried) {
      const { exitCode, stdout, stderr } = await type(`ppod ${name} https://example.com --wait 5`)
      assert.deepEqual([exitCode, stdout], [1, ''])
      assert.match(stderr, new RegExp(`^ppod: Cannot run "${name}": .* does not offer yet\n`))
    }
  })

  test('each offered command has help', async () => {
    for (const name of documented.filter(
      (name) => verbs[name] && !lines.some(({ line }) => line.includes(`${name} --help`)),
    )) {
      const { usage, description } = await verbs[name]!.load()
      assert.ok(usage.startsWith(name) && description.length > 20, name)
    }
  })
})
