import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliHome, mainPath } from '../../src/cli/testing/run-cli.ts'
import { messagesTo, newAddress, signInByMail } from '../identity/outbox.ts'
import { until } from '../support/server.ts'
import type { TestClient } from '../support/test-client.ts'

/** Somebody at a command line of their own. */
export class Person {
  readonly home = new CliHome()
  readonly address = newAddress()
  readonly server: TestClient
  token = ''

  constructor(server: TestClient) {
    this.server = server
  }

  static async signIn(server: TestClient): Promise<Person> {
    const person = new Person(server)
    person.token = await signInByMail(server, person.address)
    const { exitCode } = await person.home.run(['login', person.token, '--url', server.url])
    assert.equal(exitCode, 0)
    return person
  }

  /** `carrel workspaces …`. */
  run(...args: string[]) {
    return this.home.run(['workspaces', ...args])
  }

  /** What it prints, when it does what it should. */
  async told(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(...args)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  async json(...args: string[]): Promise<any> {
    return JSON.parse(await this.told(...args, '--json'))
  }

  /** The token that `login` saved; undefined before. */
  get saved(): string | undefined {
    try {
      return JSON.parse(readFileSync(join(this.home.path, '.carrel/config.json'), 'utf8')).token
    } catch {
      return undefined
    }
  }

  /** The link of the newest message that has such a one. */
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

  /** What a terminal shows of a command, to which they type an answer when a question has come. */
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
