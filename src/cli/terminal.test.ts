import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import type { ExecStart } from '../../sdk/exec-messages.ts'
import { FakeServer } from '../../sdk/testing/fake-server.ts'
import { CliHome, mainPath } from './testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

/** A terminal of 100 × 40 characters in which a shell runs this script; `cli` is the CLI. */
class TestTerminal {
  readonly child: ChildProcessWithoutNullStreams
  #screen = ''

  constructor(server: FakeServer, script: string) {
    const cli = `cli() { ${process.execPath} ${mainPath} "$@"; }`
    const command = `stty cols 100 rows 40; ${cli}; tty; ${script}`
    const env = { ...home.env({ server }), TERM: 'xterm-test', SHELL: '/bin/bash' }
    this.child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], { env })
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#screen += text))
  }

  /** Resolves once the terminal has shown a match. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    while (true) {
      const match = pattern.exec(this.#screen)
      if (match) return match
      await once(this.child.stdout, 'data')
    }
  }

  type(keys: string): void {
    this.child.stdin.write(keys)
  }

  async widen(cols: number): Promise<void> {
    const [path = ''] = await this.shows(/\/dev\/pts\/\d+/)
    spawnSync('stty', ['-F', path, 'cols', String(cols)])
  }

  async end(): Promise<string> {
    if (this.child.exitCode === null) await once(this.child, 'close')
    return this.#screen
  }
}

/** Resolves with the input when it has come to this length. */
async function input(server: FakeServer, length: number): Promise<string> {
  let text = ''
  for await (const [bytes] of on(server)) {
    text += bytes.toString()
    if (text.length >= length) return text
  }
  throw new Error('There is no more input')
}

async function* on(server: FakeServer) {
  while (true) yield once(server, 'exec-input') as Promise<[Buffer]>
}

test('in a terminal the command gets one of the same size and type, and every key', async () => {
  await using server = await FakeServer.start()
  const started = server.execMessage('start')
  const terminal = new TestTerminal(
    server,
    `cli exec 'echo ready; head -c 5 > /dev/null; exit 3'; echo "code $?"; stty -a`,
  )
  const { tty, stdin, env } = (await started) as ExecStart
  assert.deepEqual([tty, stdin, env], [{ cols: 100, rows: 40 }, true, { TERM: 'xterm-test' }])
  await terminal.shows(/ready/)
  const keys = input(server, 5)
  terminal.type('\u0003a\rb\u001a')
  assert.equal(await keys, '\u0003a\rb\u001a')
  assertGivenBack(await terminal.end(), /code 3/)
})

test('a new size of the terminal reaches the command', async () => {
  await using server = await FakeServer.start()
  const terminal = new TestTerminal(server, `cli exec 'echo ready; head -c 1'`)
  await terminal.shows(/ready/)
  const resized = server.execMessage('resize')
  await terminal.widen(132)
  assert.deepEqual(await resized, { type: 'resize', cols: 132, rows: 40 })
  terminal.type('x')
  await terminal.end()
})

const cliWithPid = `(sh -c 'echo "pid=$$"; exec "$0" "$@"' ${process.execPath} ${mainPath} "$@")`

test('the terminal is restored when a signal ends the command', async () => {
  await using server = await FakeServer.start()
  const script = `set -- exec 'trap "" TERM; echo ready; head -c 1'; ${cliWithPid}; echo "code $?"; stty -a`
  const terminal = new TestTerminal(server, script)
  await terminal.shows(/ready/)
  const [, pid] = await terminal.shows(/pid=(\d+)/)
  const signalled = server.execMessage('signal')
  process.kill(Number(pid), 'SIGTERM')
  await signalled
  process.kill(Number(pid), 'SIGTERM')
  assertGivenBack(await terminal.end(), /code 143/)
})

test('the terminal is restored when the command is unreachable', async () => {
  await using server = await FakeServer.start()
  const script = `set -- exec 'echo ready; head -c 1'; ${cliWithPid}; echo "code $?"; stty -a`
  const terminal = new TestTerminal(server, script)
  await terminal.shows(/ready/)
  const [, pid] = await terminal.shows(/pid=(\d+)/)
  for (const connection of server.execConnections) connection.pause()
  // Two of a kind could become one on their way.
  process.kill(Number(pid), 'SIGTERM')
  process.kill(Number(pid), 'SIGHUP')
  assertGivenBack(await terminal.end(), /code 1(29|43)/)
})

function assertGivenBack(screen: string, code: RegExp) {
  assert.match(screen, code)
  assert.match(screen, / icanon/)
  assert.match(screen, / echo /)
}

test('with --no-tty the command has no terminal, and stdin of a terminal is passed on only with -i', async () => {
  await using server = await FakeServer.start()
  const first = server.execMessage('start')
  await new TestTerminal(server, `cli exec --no-tty 'true'`).end()
  assert.deepEqual([((await first) as ExecStart).tty, ((await first) as ExecStart).stdin], [undefined, false])
  const second = server.execMessage('start')
  const terminal = new TestTerminal(server, `cli exec -T -i 'echo ready; head -1'`)
  await terminal.shows(/ready/)
  const keys = input(server, 6)
  terminal.type('hello\r')
  assert.equal(await keys, 'hello\n')
  await terminal.end()
  assert.equal(((await second) as ExecStart).stdin, true)
})

test('the command has no terminal unless stdin and stdout are terminals, or -t is given', async () => {
  await using server = await FakeServer.start()
  await new TestTerminal(server, `cli exec true | cat`).end()
  await home.run(['exec', 'true'], { server })
  await home.run(['exec', '-t', 'true'], { server })
  const terminals = server.execMessages.filter((message) => message.type === 'start').map(({ tty }) => tty)
  assert.deepEqual(terminals, [undefined, undefined, { cols: 80, rows: 24 }])
})

test('ps cuts a long command at the width of the terminal', async () => {
  await using server = await FakeServer.start()
  await home.run(['start', `true ${'x'.repeat(200)}`], { server })
  const screen = await new TestTerminal(server, 'cli ps').end()
  const line = /^proc-1 .*$/m.exec(screen)?.[0].trimEnd() ?? ''
  assert.equal(line.length, 100)
  assert.ok(line.endsWith('x…'))
})

test('ps fits its lines to the terminal, and never cuts ids', async () => {
  await using server = await FakeServer.start()
  const id = 'an-id-that-is-rather-long'
  const command = `sleep 60; echo ${'x'.repeat(200)}`
  const started = `cli start --id ${id} '${command}' 2>/dev/null`
  const terminal = new TestTerminal(server, `${started}; stty cols 60; echo begin; cli ps; echo end; cli ps | tail -1`)
  const screen = await terminal.end()
  const lines = screen.slice(screen.indexOf('begin')).split('\r\n').slice(1)
  const [titles, row, end, piped] = lines as [string, string, string, string]
  assert.match(titles, /^ID +STATUS +(EXIT +)?COMMAND$/)
  assert.ok(row.startsWith(`${id}  running  `) && row.endsWith('…') && row.length <= 60, row)
  assert.equal(end, 'end')
  assert.ok(piped.endsWith(command), 'a pipe gets all of it')
})

test('attach gives a program the keys and the size of the terminal, until Ctrl-P Ctrl-Q detaches', async () => {
  await using server = await FakeServer.start()
  const process = server.spawn({ argv: ['/bin/sh', '-c', 'while read -r line; do echo "<$line>"; done'], stdin: true })
  process.hasTerminal = true
  const resized = server.execMessage('resize')
  const terminal = new TestTerminal(server, `cli attach ${process.processId}; echo "code $?"; stty -a`)
  assert.deepEqual(await resized, { type: 'resize', cols: 100, rows: 40 })
  await terminal.shows(/Attached to proc-1: Ctrl-P Ctrl-Q detaches/)
  terminal.type('hello\n')
  await terminal.shows(/<hello>/)
  terminal.type('\u0010\u0011')
  assertGivenBack(await terminal.end(), /Detached: "carrel attach proc-1" attaches again\s+code 0/)
  assert.equal(process.exit, undefined)
})

test('attach sends only signals to a program without a terminal', async () => {
  await using server = await FakeServer.start()
  const argv = ['/bin/sh', '-c', 'trap "echo caught; exit 9" INT; while :; do echo tick; sleep 0.05; done']
  const process = server.spawn({ argv, stdin: true })
  const terminal = new TestTerminal(server, `cli attach ${process.processId}; echo "code $?"; stty -a`)
  await terminal.shows(/Attached[^]*tick/)
  terminal.type('x\u0003')
  assertGivenBack(await terminal.end(), /caught\s+code 9/)
  assert.equal(Buffer.concat(process.input).toString(), '')
})
