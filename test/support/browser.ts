import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'

/** Debian's Chromium, if it is installed. */
const program = '/usr/bin/chromium'

/** The reason why tests with a browser are skipped; false if there is one. */
export const noBrowser = !existsSync(program) && 'Chromium is not installed'

interface Answer {
  result?: unknown
  error?: { message: string }
}

interface Message extends Answer {
  id?: number
  method?: string
  params?: Record<string, { text?: string }>
}

/** A page of a real browser, driven by the DevTools protocol. */
export class BrowserPage {
  /** Complaints of the page: errors, and what its Content-Security-Policy blocked. */
  readonly complaints: string[] = []
  readonly #process: ChildProcess
  readonly #socket: WebSocket
  readonly #profile: string
  readonly #answers = new Map<number, (answer: Answer) => void>()
  #loaded: () => void = () => {}

  private constructor(process: ChildProcess, socket: WebSocket, profile: string) {
    this.#process = process
    this.#socket = socket
    this.#profile = profile
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString())))
  }

  /** @param flags of Chromium, in addition to the usual ones */
  static async open(...flags: string[]): Promise<BrowserPage> {
    const profile = mkdtempSync(join(tmpdir(), 'carrel-browser-'))
    const options = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      ...flags,
    ]
    const child = spawn(program, [...options, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: profile },
    })
    let said = ''
    const endpoint = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const [, host] = /DevTools listening on ws:\/\/([^/]+)/.exec(said) ?? []
        if (host) resolve(host)
      })
      child.on('exit', () => reject(new Error(`the browser ended: ${said}`)))
    })
    const targets = (await (await fetch(`http://${endpoint}/json`)).json()) as Record<string, string>[]
    const socket = new WebSocket(targets.find(({ type }) => type === 'page')!['webSocketDebuggerUrl']!)
    await once(socket, 'open')
    const page = new BrowserPage(child, socket, profile)
    for (const domain of ['Page', 'Runtime', 'Log']) await page.#command(`${domain}.enable`)
    return page
  }

  async goTo(url: string, size = { width: 1280, height: 900 }): Promise<void> {
    const mobile = size.width < 600
    await this.#command('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile })
    const loaded = this.#nextLoad()
    await this.#command('Page.navigate', { url })
    await loaded
  }

  /** Clicks a link of the page, and awaits where it leads: here, also when the link asks for a window of its own. */
  async follow(link: string): Promise<void> {
    const loaded = this.#nextLoad()
    await this.evaluate(`{
      const link = ${link}
      link.target = '_self'
      setTimeout(() => link.click())
    }`)
    await loaded
  }

  #nextLoad(): Promise<void> {
    return new Promise((resolve) => {
      this.#loaded = resolve
    })
  }

  /** Returns the value of an expression in the page, and awaits a promise. Rejects with what the expression throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.#command('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: T }; exceptionDetails?: object }
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  /** Resolves once an expression in the page is true. The page itself looks, each time that it draws. */
  async until(expression: string): Promise<void> {
    await this.evaluate(`new Promise((resolve, reject) => {
      const look = () => {
        try {
          if (${expression}) resolve()
          else requestAnimationFrame(look)
        } catch (error) { reject(error) }
      }
      look()
    })`)
  }

  /** Moves the mouse to the middle of an element. */
  async pointAt(element: string): Promise<void> {
    const { x, y } = await this.evaluate<{ x: number; y: number }>(`(() => {
      const { x, y, width, height } = (${element}).getBoundingClientRect()
      return { x: x + width / 2, y: y + height / 2 }
    })()`)
    await this.#command('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y })
  }

  /** Types text into whatever has the focus. */
  async type(text: string): Promise<void> {
    await this.#command('Input.insertText', { text })
  }

  /** Presses and releases a key, such as `Enter`. */
  async press(key: 'Enter' | 'Escape' | 'ArrowDown' | 'ArrowRight'): Promise<void> {
    const codes = { Enter: 13, Escape: 27, ArrowDown: 40, ArrowRight: 39 }
    const text = key === 'Enter' ? { text: '\r' } : {}
    const event = { key, code: key, windowsVirtualKeyCode: codes[key], ...text }
    await this.#command('Input.dispatchKeyEvent', { type: 'keyDown', ...event })
    await this.#command('Input.dispatchKeyEvent', { type: 'keyUp', ...event })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#socket.close()
    this.#process.kill('SIGKILL')
    await ended
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  #command(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#answers.size + 1
      this.#answers.set(id, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`))
        else resolve(result)
      })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  #take(message: Message): void {
    if (message.id !== undefined) this.#answers.get(message.id)?.(message)
    else if (message.method === 'Page.loadEventFired') this.#loaded()
    else if (message.method === 'Log.entryAdded') this.complaints.push(message.params?.['entry']?.text ?? '')
    else if (message.method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(message.params))
  }
}
