import RFB from '@novnc/novnc'
import { Backoff } from '../api/backoff.ts'
import { mayReconnect, socketUrl } from '../api/sockets.ts'

export type DesktopState = 'connecting' | 'open' | 'waiting' | 'ended'

interface Listener {
  onState: (state: DesktopState) => void
  /** The desktop's clipboard has this text now. */
  onClipboard: (text: string) => void
  /** The desktop refused the connection, or why it ended. */
  onProblem: (message: string) => void
}

/** The desktop in an element. It connects again after each break, until it is closed. */
export class DesktopConnection {
  readonly #target: HTMLElement
  readonly #listener: Listener
  readonly #backoff = new Backoff()
  #rfb: RFB | undefined
  #viewOnly: boolean
  #isClosed = false
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `viewOnly`: neither keys nor the pointer are sent, and the desktop keeps its size. */
  constructor(target: HTMLElement, { viewOnly, listener }: { viewOnly: boolean; listener: Listener }) {
    this.#target = target
    this.#listener = listener
    this.#viewOnly = viewOnly
    this.#connect()
  }

  set viewOnly(viewOnly: boolean) {
    this.#viewOnly = viewOnly
    if (this.#rfb) this.#apply(this.#rfb)
  }

  sendClipboard(text: string): void {
    this.#rfb?.clipboardPasteFrom(text)
  }

  /** Presses and releases a key, by its X11 keysym. */
  sendKey(keysym: number): void {
    this.#rfb?.sendKey(keysym, null)
  }

  focus(): void {
    this.#rfb?.focus()
  }

  blur(): void {
    this.#rfb?.blur()
  }

  retryNow(): void {
    if (this.#timer === undefined) return
    this.#clearTimer()
    this.#connect()
  }

  close(): void {
    this.#isClosed = true
    this.#clearTimer()
    this.#rfb?.disconnect()
  }

  #connect(): void {
    this.#listener.onState('connecting')
    const channel = new WebSocket(socketUrl('/api/desktop/socket'), 'binary')
    let close = { code: 1006, reason: '' }
    channel.addEventListener('close', ({ code, reason }) => {
      close = { code, reason }
    })
    const rfb = new RFB(this.#target, channel, { shared: true })
    this.#rfb = rfb
    this.#apply(rfb)
    rfb.background = 'transparent'
    rfb.addEventListener('connect', () => {
      this.#backoff.reset()
      this.#listener.onState('open')
      rfb.focus()
    })
    rfb.addEventListener('clipboard', ({ detail }) => this.#listener.onClipboard(detail.text))
    rfb.addEventListener('securityfailure', ({ detail }) => this.#listener.onProblem(detail.reason ?? ''))
    rfb.addEventListener('disconnect', () => this.#lost(close))
  }

  #lost(close: { code: number; reason: string }): void {
    this.#rfb = undefined
    if (this.#isClosed || !mayReconnect(close)) return this.#listener.onState('ended')
    this.#listener.onProblem(close.reason)
    this.#listener.onState('waiting')
    this.#timer = setTimeout(() => {
      this.#clearTimer()
      this.#connect()
    }, this.#backoff.nextMs())
  }

  #apply(rfb: RFB): void {
    rfb.viewOnly = this.#viewOnly
    rfb.resizeSession = !this.#viewOnly
    rfb.scaleViewport = true
  }

  #clearTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
