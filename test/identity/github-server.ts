import { createServer, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface GithubUser {
  id: number
  login: string
  name: string | null
  emails: { email: string; primary: boolean; verified: boolean }[]
}

/** A fake GitHub, with its API below `/api/v3` as on an enterprise server. Each code works once. */
export class GithubServer {
  readonly clientId = 'Iv1.carrel'
  readonly clientSecret = 'github-secret'
  readonly #codes = new Map<string, GithubUser>()
  readonly #tokens = new Map<string, GithubUser>()
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request.url ?? '', request.headers.authorization, text(request), response)
    })
  }

  static async start(): Promise<GithubServer> {
    const github = new GithubServer()
    github.#server.listen(0, '127.0.0.1')
    await once(github.#server, 'listening')
    return github
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Returns a code, as GitHub does when a user agrees. */
  codeFor(user: GithubUser): string {
    const code = crypto.randomUUID()
    this.#codes.set(code, user)
    return code
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(url: string, authorization = '', body: Promise<string>, response: ServerResponse): Promise<void> {
    const send = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (url === '/login/oauth/access_token') {
      const form = new URLSearchParams(await body)
      if (form.get('client_id') !== this.clientId || form.get('client_secret') !== this.clientSecret)
        return void send(200, { error: 'incorrect_client_credentials', error_description: 'The client_id is wrong.' })
      const code = form.get('code') ?? ''
      const user = this.#codes.get(code)
      this.#codes.delete(code)
      if (!user) return void send(200, { error: 'bad_verification_code', error_description: 'The code is incorrect.' })
      const token = `gho_${crypto.randomUUID()}`
      this.#tokens.set(token, user)
      return void send(200, { access_token: token, token_type: 'bearer', scope: 'user:email' })
    }
    const user = this.#tokens.get(authorization.replace('Bearer ', ''))
    if (!user) return void send(401, { message: 'Bad credentials' })
    const { emails, ...profile } = user
    if (url === '/api/v3/user') return void send(200, { ...profile, email: null })
    if (url === '/api/v3/user/emails') return void send(200, emails)
    send(404, { message: 'Not Found' })
  }
}
