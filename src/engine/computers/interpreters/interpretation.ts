import { limits } from '../../../config/limits.ts'
import type { ProcessExit } from '../../../drivers/driver.ts'
import type { CallMemory } from './call-memory.ts'
import type { CallEvent, MimeBundle } from './kernel-events.ts'

export type InterpretOutput =
  | { kind: 'stream'; name: 'stdout' | 'stderr'; text: string }
  | { kind: 'display'; bundle: MimeBundle; main: boolean; displayId?: string }
  | ({ kind: 'error' } & InterpretError)

export interface InterpretError {
  name: string
  message: string
  /** Lines, without colours. */
  traceback: string[]
}

/** `died`: the kernel ended in the midst of it. `interrupted`: its client left. */
export type InterpretStatus = 'completed' | 'error' | 'timeout' | 'interrupted' | 'died'

interface Ending {
  /** Why it was to stop; undefined when it came to its end by itself. */
  why: 'timeout' | 'left' | undefined
  timeoutMs: number
  /** Of the kernel, when that ended with it. */
  exit?: ProcessExit
  lastWords?: string
  /** Why it was ended, when it said what no kernel says. */
  fault?: string | undefined
}

/** What came of one call, in order and within bounds: a kernel is the guest's, and may say anything. */
export class Interpretation {
  outputs: InterpretOutput[] = []
  status: InterpretStatus = 'completed'
  /** How many calls the kernel has had; null when it ended. */
  executionCount: number | null = null
  /** True when something was left out for a bound. */
  truncated = false
  /** True when the kernel, and with it all variables, ended with this call. */
  kernelLost = false
  readonly #memory: CallMemory
  /** Text of the last output that is not put to the rest yet: it may come character by character. */
  #unjoined: string[] = []
  readonly #charactersLeft = { stdout: limits.interpretStreamCharacters, stderr: limits.interpretStreamCharacters }
  /** A kernel that is as it was sent stays below: it counts its results alone, and cuts what is too much. */
  #bytesLeft = limits.interpretResultBytes + 2 * 1024 * 1024
  #clearsNext = false

  constructor(memory: CallMemory) {
    this.#memory = memory
  }

  get error(): InterpretError | undefined {
    return this.outputs.findLast((output) => output.kind === 'error')
  }

  /** `weight` is what it takes. False when nothing came of it. */
  add(event: CallEvent, weight: number): boolean {
    switch (event.event) {
      case 'output':
        return this.#addText(event.name, event.text)
      case 'result':
        return this.#addDisplay(event, weight)
      case 'error':
        return this.#addError(event, weight)
      case 'clear':
        return this.#clear(event.wait)
      case 'done':
        this.executionCount = event.count
        this.truncated ||= event.truncated
        return true
    }
  }

  #clear(wait: boolean): boolean {
    this.#join()
    const isNews = wait ? !this.#clearsNext : this.outputs.length > 0
    if (!wait) this.outputs = []
    this.#clearsNext = wait
    return isNews
  }

  finish(ending: Ending): void {
    const { why, timeoutMs, exit, lastWords = '', fault } = ending
    this.#join()
    this.kernelLost = exit !== undefined
    if (why === undefined && !exit) this.status = this.error ? 'error' : 'completed'
    else if (why === 'timeout') {
      this.status = 'timeout'
      this.#fail('TimeoutError', timeoutMessage(timeoutMs, exit))
    } else if (why === 'left') {
      this.status = 'interrupted'
      this.#fail('Interrupted', 'The code was interrupted: its client left, or the server was stopped')
    } else if (exit) {
      this.status = 'died'
      const message = fault === undefined ? deathMessage(exit, lastWords) : faultMessage(fault)
      this.#fail('KernelDied', message, lastWords === '' ? [] : lastWords.trimEnd().split('\n'))
    }
  }

  /** In place of the error that the interruption made, whose traceback tells where it struck. */
  #fail(name: string, message: string, traceback: string[] = []): void {
    const last = this.outputs.at(-1)
    if (last?.kind !== 'error') this.outputs.push({ kind: 'error', name, message, traceback })
    else Object.assign(last, { name, message, traceback: [...last.traceback, `${name}: ${message}`] })
  }

  #addText(name: 'stdout' | 'stderr', text: string): boolean {
    const kept = text.slice(0, this.#charactersLeft[name])
    if (kept.length < text.length) this.truncated = true
    if (kept === '') return false
    if (!this.#has(2 * kept.length)) return false
    this.#charactersLeft[name] -= kept.length
    const last = this.#clearsNext ? undefined : this.outputs.at(-1)
    if (last?.kind !== 'stream' || last.name !== name) return this.#push({ kind: 'stream', name, text: kept })
    this.#unjoined.push(kept)
    if (this.#unjoined.length === maxUnjoined) this.#join()
    return true
  }

  #join(): void {
    const last = this.outputs.at(-1)
    if (last?.kind === 'stream') last.text += this.#unjoined.join('')
    this.#unjoined = []
  }

  /** False, and told, when there is no memory for more. */
  #has(bytes: number): boolean {
    if (this.#memory.grow(bytes)) return true
    this.truncated = true
    return false
  }

  #addError(event: CallEvent & { event: 'error' }, weight: number): boolean {
    this.#bytesLeft -= weight
    // The first has room always: an answer without it would say that all went well.
    if (!this.error) return this.#push({ kind: 'error', ...bounded(event) }, true)
    if (this.#bytesLeft >= 0 && this.#has(weight)) return this.#push({ kind: 'error', ...bounded(event) })
    this.truncated = true
    return false
  }

  #addDisplay(event: CallEvent & { event: 'result' }, weight: number): boolean {
    this.#bytesLeft -= weight
    if (this.#bytesLeft < 0 || !this.#has(weight)) {
      this.truncated = true
      return false
    }
    const { data: bundle, main, update, displayId } = event
    const output = { kind: 'display' as const, bundle, main, ...(displayId ? { displayId } : {}) }
    if (!update) return this.#push(output, main && !this.#hasMain)
    const before = this.outputs.find((shown) => shown.kind === 'display' && shown.displayId === displayId)
    if (!before) return this.#push(output)
    Object.assign(before, { bundle })
    return true
  }

  get #hasMain(): boolean {
    return this.outputs.some((output) => output.kind === 'display' && output.main)
  }

  #push(output: InterpretOutput, always = false): boolean {
    this.#join()
    if (this.#clearsNext) this.outputs = []
    this.#clearsNext = false
    const hasRoom = always || this.outputs.length < limits.interpretOutputs
    if (hasRoom) this.outputs.push(output)
    else this.truncated = true
    return hasRoom
  }
}

function bounded({ name, message, traceback }: InterpretError): InterpretError {
  const text = traceback.join('\n').slice(0, limits.interpretErrorCharacters)
  return {
    name: name.slice(0, 200),
    message: message.slice(0, limits.interpretErrorCharacters),
    traceback: text === '' ? [] : text.split('\n'),
  }
}

function timeoutMessage(timeoutMs: number, exit: ProcessExit | undefined): string {
  const struck = `The code was interrupted: it ran longer than its timeout of ${timeoutMs} ms`
  if (!exit) return `${struck}. Variables are kept`
  return `${struck}, and did not give way. The kernel was ended, and variables are gone; the next call gets a new one`
}

function faultMessage(fault: string): string {
  return `The kernel was ended: ${fault}. Variables are gone; the next call gets a new one`
}

function deathMessage(exit: ProcessExit, lastWords: string): string {
  const [heap] = /JavaScript heap out of memory/.exec(lastWords) ?? []
  const why = {
    oom: 'the sandbox ran out of memory',
    stopped: 'its sandbox was stopped',
    out_of_credits: 'the account has no credit left',
    spending_limit: 'a spending limit is used up',
    lost: 'it was lost with the process monitor',
    timeout: 'it ran for too long',
    disk_full: `it ended with exit code ${exit.exitCode}, and the disk is full`,
    exited: `it ended with exit code ${exit.exitCode}`,
    signalled: heap ? `out of memory: ${heap}` : `it was ended by ${exit.signal}`,
  }[exit.reason]
  return `The kernel died: ${why}. Variables are gone; the next call gets a new one`
}

/** Put together one by one they would make a chain of millions. */
const maxUnjoined = 1024
