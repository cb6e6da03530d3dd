import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newSession, TestServer } from '../support/server.ts'

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** A terminal of 100 × 40 characters in which the command line runs a shell in a sandbox. */
class Terminal {
  readonly #child
  #screen = ''
  #seen = 0

  constructor(server: TestServer, sessionId: string) {
    const command = `stty cols 100 rows 40; tty; "$NODE" "$CLI" exec -it --session "$SESSION" 'bash --norc'; echo "ended with $?"`
    const env = {
      ...process.env,
      TERM: 'xterm-256color',
      SHELL: '/bin/bash',
      NODE: process.execPath,
      CLI: cli,
      SESSION: sessionId,
      CARREL_URL: server.url,
      CARREL_TOKEN: server.token,
    }
    this.#child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], { env })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#screen += text))
  }

  /** Waits until a match is shown after the previous one. */
  async shows(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(timeoutMs)
    while (true) {
      const match = pattern.exec(this.#screen.slice(this.#seen))
      if (match) {
        this.#seen += match.index + match[0].length
        return match
      }
      await once(this.#child.stdout, 'data', { signal: deadline }).catch(() => {
        throw new Error(`the terminal did not show ${pattern}: ${JSON.stringify(this.#screen.slice(-2000))}`)
      })
    }
  }

  type(keys: string): void {
    this.#child.stdin.write(keys)
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

describe('carrel exec -it', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()
  before(async () => {
    server = await TestServer.start()
    await server.shell('true', { sessionId })
  })
  after(() => server.stop())

  test('is a real terminal, and continues after the server is killed', async () => {
    const terminal = new Terminal(server, sessionId)
    try {
      const [device] = await terminal.shows(/\/dev\/pts\/\d+/)
      await terminal.shows(/\$ /)
      terminal.type('stty size; tput setaf 1; echo "kind $TERM"\r')
      await terminal.shows(/40 100\r+\n/)
      // oxlint-disable-next-line no-control-regex -- colours are control sequences
      await terminal.shows(/\u001b\[31mkind xterm-256color/)
      terminal.type('until [ "$(stty size)" = "50 120" ]; do sleep 0.05; done; echo "wid""er"\r')
      spawnSync('stty', ['-F', device, 'cols', '120', 'rows', '50'])
      await terminal.shows(/wider/)
      // The foreground program prints the word: bash itself may or may not drop the line.
      terminal.type('sh -c \'echo "wai""ting"; exec sleep 100\'\r')
      await terminal.shows(/waiting/)
      terminal.type('\u0003')
      terminal.type('echo "code $?"; number=41\r')
      await terminal.shows(/code 130/)

      const { port } = new URL(server.url)
      await server.stop('SIGKILL')
      await terminal.shows(/the connection is lost/)
      server = await TestServer.start({ env: { CARREL_PORT: port } })
      await terminal.shows(/the connection is restored/)
      terminal.type('echo "still $((number + 1))"; exit 7\r')
      await terminal.shows(/still 42\r/)
      await terminal.shows(/ended with 7/)
    } finally {
      terminal.end()
    }
  })
})
