import { FitAddon } from '@xterm/addon-fit'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { Terminal } from '@xterm/xterm'
import { sequenceOf, withControl, type TerminalKey } from './terminal-keys.ts'
import { withTerminalTheme } from './terminal-theme.ts'

const fontFamily = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
const maxTitleLength = 60
/** Narrower screens get smaller letters, for 45 columns on a phone. */
const narrowPixels = 600
/** What comes this soon after a key is what the user typed: text that was composed comes a moment later. */
const touchMs = 100

export interface ScreenListener {
  onInput: (data: string | Uint8Array) => void
  onResize: (cols: number, rows: number) => void
  onTitle: (title: string) => void
  /** Ctrl was used up by a character. */
  onControlUsed: () => void
  /** The user asks for a way out of the terminal by the keyboard. */
  onLeave: () => void
}

/** What draws a terminal in an element, and takes the keys that are pressed there. */
export class TerminalScreen {
  /** Whether the next character is pressed together with Ctrl. */
  hasControl = false
  readonly #listener: ScreenListener
  readonly #terminal: Terminal
  readonly #fit = new FitAddon()
  readonly #element: HTMLElement
  readonly #ends: (() => void)[] = []
  /** How many pieces of earlier output are being drawn: what they ask was answered when they were printed. */
  #replaying = 0
  #touchedAtMs = -Infinity

  constructor(element: HTMLElement, listener: ScreenListener) {
    this.#element = element
    this.#listener = listener
    this.#terminal = new Terminal({
      fontFamily,
      fontSize: window.innerWidth < narrowPixels ? 12 : 13.5,
      lineHeight: 1.15,
      scrollback: 10_000,
      cursorBlink: true,
      minimumContrastRatio: 4.5,
      macOptionIsMeta: true,
    })
    const terminal = this.#terminal
    this.#ends.push(withTerminalTheme((theme) => (terminal.options.theme = theme)))
    terminal.loadAddon(this.#fit)
    terminal.loadAddon(new WebLinksAddon())
    terminal.open(element)
    terminal.attachCustomKeyEventHandler((event) => this.#takesKey(event, listener.onLeave))
    terminal.onData((data) => this.#isWanted && this.#input(data))
    terminal.onBinary((data) => this.#isWanted && listener.onInput(bytesOfBinary(data)))
    this.#watchTouch()
    terminal.onResize(({ cols, rows }) => listener.onResize(cols, rows))
    terminal.onTitleChange((title) => listener.onTitle(shortTitle(title)))
    const observer = new ResizeObserver(() => this.fit())
    observer.observe(element)
    this.#ends.push(() => observer.disconnect())
    this.fit()
  }

  get size(): { cols: number; rows: number } {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows }
  }

  /** Adapts the number of columns and rows to the element, unless it is hidden. */
  fit(): void {
    if (this.#element.offsetParent !== null && this.#element.clientHeight > 0) this.#fit.fit()
  }

  write(data: Uint8Array | string, { replayed = false, onDrawn }: { replayed?: boolean; onDrawn?: () => void } = {}) {
    if (replayed) this.#replaying += 1
    this.#terminal.write(data, () => {
      if (replayed) this.#replaying -= 1
      onDrawn?.()
    })
  }

  /** Writes a line of the page itself, apart from the program's output. */
  note(text: string): void {
    this.#terminal.write(`\r\n\u001b[0;2m[${text}]\u001b[0m\r\n`)
  }

  /** Presses a key that the user has no keyboard for. */
  press(key: TerminalKey): void {
    const isApplication = this.#terminal.modes.applicationCursorKeysMode
    this.#listener.onInput(sequenceOf(key, { isApplication }))
  }

  focus(): void {
    this.#terminal.focus()
  }

  dispose(): void {
    for (const end of this.#ends) end()
    this.#terminal.dispose()
  }

  /** Whether input is the user's, or the answer to a question that nobody has answered before. */
  get #isWanted(): boolean {
    return this.#replaying === 0 || performance.now() - this.#touchedAtMs < touchMs
  }

  #input(data: string): void {
    if (!this.hasControl) return this.#listener.onInput(data)
    this.hasControl = false
    this.#listener.onControlUsed()
    this.#listener.onInput(withControl(data))
  }

  #watchTouch(): void {
    const touch = () => {
      this.#touchedAtMs = performance.now()
    }
    for (const event of ['keydown', 'beforeinput', 'paste', 'pointerdown', 'compositionend'])
      this.#element.addEventListener(event, touch, { capture: true })
  }

  /** Returns whether the terminal handles a key. Ctrl+Shift+V is the browser's own paste. */
  #takesKey(event: KeyboardEvent, onLeave: () => void): boolean {
    if (event.type !== 'keydown' || !event.ctrlKey || event.altKey || event.metaKey) return true
    if (event.key === 'F6') {
      event.preventDefault()
      onLeave()
      return false
    }
    const copies = event.code === 'KeyC' && (event.shiftKey || this.#terminal.hasSelection())
    if (copies) {
      event.preventDefault()
      // Unlike navigator.clipboard it needs no secure connection; xterm.js fills in the selection.
      document.execCommand('copy')
      this.#terminal.clearSelection()
      return false
    }
    return !(event.shiftKey && event.code === 'KeyV')
  }
}

/** Returns a title without the user and the computer, which shells put before the directory. */
function shortTitle(title: string): string {
  return title.replace(/^[\w.-]+@[\w.-]+: */, '').slice(0, maxTitleLength)
}

/** Returns the bytes of what xterm.js calls binary: a string whose characters are bytes. */
function bytesOfBinary(data: string): Uint8Array {
  return Uint8Array.from(data, (character) => character.charCodeAt(0))
}
