import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliHome, mainPath } from '../../src/cli/testing/run-cli.ts'
import { messagesTo, newAddress, signInByMail } from '../identity/outbox.ts'
import { until } from '../support/server.ts'
import type { TestClient } from '../support/test-client.ts'

/** A user with a home directory and a command line of their own. */
export class CliUser {
  readonly home = new CliHome()
  readonly address = newAddress()
  readonly server: TestClient
  token = ''

  constructor(server: TestClient) {
    this.server = server
  }

  static async signIn(server: TestClient): Promise<CliUser> {
    const user = new CliUser(server)
    user.token = await signInByMail(server, user.address)
    const { exitCode } = await user.home.run(['login', user.token, '--url', server.url])
    assert.equal(exitCode, 0)
    return user
  }

  /** Runs `carrel workspaces …`. */
  run(...args: string[]) {
    return this.home.run(['workspaces', ...args])
  }

  /** Runs `carrel workspaces …`, which must succeed, and returns its output. */
  async output(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(...args)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into responses of every shape
  async json(...args: string[]): Promise<any> {
    return JSON.parse(await this.output(...args, '--json'))
  }

  /** The token that `login` saved; undefined before. */
  get saved(): string | undefined {
    try {
      return JSON.parse(readFileSync(join(this.home.path, '.carrel/config.json'), 'utf8')).token
    } catch {
      return undefined
    }
  }

  /** Returns the newest link of this kind that was mailed to the user. */
  async link(path: '/invitation' | '/login/callback'): Promise<string> {
    const text = await until(
      () => messagesTo(this.address).findLast((message) => message.includes(`${path}?`)),
      (message) => message !== undefined,
    )
    return /https?:\S+/.exec(text!)![0]
  }

  /** Accepts the newest invitation, as its page does. */
  async accept(): Promise<void> {
    const token = new URL(await this.link('/invitation')).searchParams.get('token')
    const { status } = await this.server.call('POST', '/invitation', { token }, { token: null })
    assert.equal(status, 200)
  }

  /** Runs a command in a terminal, types an answer whenever a question appears, and returns what the terminal shows. */
  async atTerminal(args: string[], answers: [question: string, answer: () => string | Promise<string>][]) {
    const command = `${process.execPath} ${mainPath} ${args.join(' ')}`
    const env = { ...this.home.env(), TERM: 'xterm' }
    const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], { env })
    const left = [...answers]
    let screen = ''
    let seen = 0
    const look = async () => {
      const [question, answer] = left[0] ?? []
      const at = question === undefined ? -1 : screen.indexOf(question, seen)
      if (at === -1) return
      left.shift()
      seen = at + question!.length
      child.stdin.write(`${await answer!()}\r`)
      await look()
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text
      void look()
    })
    const [exitCode] = (await once(child, 'close')) as [number | null]
    return { exitCode, screen }
  }
}
