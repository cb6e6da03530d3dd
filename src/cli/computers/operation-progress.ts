import type { ComputerOperation } from '../../../sdk/index.ts'
import type { Program } from '../program.ts'
import { printable } from '../printable.ts'
import type { Values } from '../verb.ts'

/** What ends before this needs no progress. `CARREL_PROGRESS_AFTER_MS` overrides it. */
const defaultShowAfterMs = 400
/** Without a terminal, steps that follow each other sooner have no line each. */
const stepIntervalMs = 10_000

/**
 * Shows on stderr how far an operation is: on one line of a terminal, which is redrawn; anywhere else a line for each
 * tenth, and for each step that takes long.
 */
export class OperationProgress {
  readonly #program: Program
  readonly #isShown: boolean
  readonly #showAfterMs: number
  readonly #startedMs = performance.now()
  #last = ''
  #tenth = -1
  #shownMs = 0

  constructor(program: Program, values: Values) {
    this.#program = program
    this.#isShown = !values.json
    this.#showAfterMs = Number(program.env.CARREL_PROGRESS_AFTER_MS || defaultShowAfterMs)
  }

  async show(operation: ComputerOperation): Promise<void> {
    const { stderr } = this.#program
    const passedMs = performance.now() - this.#startedMs
    if (!this.#isShown || passedMs < this.#showAfterMs) return
    if (stderr.isTerminal) {
      const line = progressText(operation, passedMs).slice(0, (stderr.width ?? 80) - 1)
      this.#last = line
      return stderr.write(`\r${line}\u001b[K`).catch(() => {})
    }
    const tenth = Math.floor(operation.progress * 10)
    // What only counts within a step is no new one.
    const step = (operation.progress_message ?? '').replaceAll(/\d+/g, '')
    const isNew = tenth !== this.#tenth || (step !== this.#last && passedMs - this.#shownMs >= stepIntervalMs)
    if (!isNew) return
    ;[this.#tenth, this.#last, this.#shownMs] = [tenth, step, passedMs]
    await stderr.line(progressText(operation, passedMs)).catch(() => {})
  }

  /** Clears the line of a terminal. */
  async clear(): Promise<void> {
    const { stderr } = this.#program
    if (this.#last !== '' && stderr.isTerminal) await stderr.write('\r\u001b[K').catch(() => {})
  }
}

/** Returns a line such as `create computer: 42%, 3 s, unpacking the image`. */
export function progressText({ kind, progress, progress_message: step }: ComputerOperation, passedMs: number): string {
  const [noun = '', verb = ''] = kind.split('.')
  const facts = [
    ...(progress > 0 ? [`${Math.floor(progress * 100)}%`] : []),
    `${Math.floor(passedMs / 1000)} s`,
    ...(step === undefined ? [] : [step]),
  ]
  return printable(`${verb} ${noun}: ${facts.join(', ')}`)
}
