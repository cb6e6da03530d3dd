import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'

/** A page in a headless Chromium, driven by its DevTools protocol. */
export class ChromiumPage {
  readonly #browser: ChildProcess
  readonly #devTools: WebSocket
  readonly #profile: string
  #lastId = 0

  private constructor(browser: ChildProcess, devTools: WebSocket, profile: string) {
    this.#browser = browser
    this.#devTools = devTools
    this.#profile = profile
  }

  static async open(url: string): Promise<ChromiumPage> {
    const profile = mkdtempSync(join(tmpdir(), 'carrel-chromium-'))
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0']
    const browser = spawn('chromium', [...options, `--user-data-dir=${profile}`, url], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: profile },
    })
    let said = ''
    const port = await new Promise<string>((resolve, reject) => {
      browser.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const [, found] = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? []
        if (found) resolve(found)
      })
      browser.on('error', reject)
      browser.on('exit', () => reject(new Error(`Chromium ended: ${said}`)))
    })
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as Record<string, string>[]
    const page = targets.find(({ type }) => type === 'page')
    const devTools = new WebSocket(page!.webSocketDebuggerUrl!)
    await once(devTools, 'open')
    return new ChromiumPage(browser, devTools, profile)
  }

  /** The value of an expression, awaited when it is a promise. */
  async evaluate(expression: string): Promise<unknown> {
    const id = ++this.#lastId
    const params = { expression, awaitPromise: true, returnByValue: true }
    this.#devTools.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }))
    while (true) {
      const [data] = (await once(this.#devTools, 'message')) as [Buffer]
      const answer = JSON.parse(data.toString())
      if (answer.id !== id) continue
      if (answer.result?.exceptionDetails) throw new Error(JSON.stringify(answer.result.exceptionDetails))
      return answer.result?.result?.value
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#devTools.terminate()
    const exited = once(this.#browser, 'exit')
    this.#browser.kill('SIGKILL')
    await exited
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
