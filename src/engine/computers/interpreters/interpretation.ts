import { limits } from '../../../config/limits.ts'
import type { ProcessExit } from '../../../drivers/driver.ts'
import type { CallMemory } from './call-memory.ts'
import type { CallEvent, MimeBundle } from './kernel-events.ts'
import { plainTextOf } from './plain-text.ts'

export type InterpretOutput =
  | { kind: 'stream'; name: 'stdout' | 'stderr'; text: string }
  /** `bundle` has a plain text wherever one can be given. */
  | { kind: 'display'; bundle: MimeBundle; main: boolean; displayId?: string }
  | ({ kind: 'error' } & InterpretError)

export interface InterpretError {
  name: string
  message: string
  /** Lines, without colour codes. */
  traceback: string[]
}

/** `died`: the kernel ended during the call. `interrupted`: the client disconnected. */
export type InterpretStatus = 'completed' | 'error' | 'timeout' | 'interrupted' | 'died'

interface Ending {
  /** Why the code was interrupted; undefined when it ended by itself. */
  why: 'timeout' | 'disconnected' | undefined
  /** Undefined for no limit. */
  timeoutMs?: number | undefined
  /** The exit of the kernel, when it ended with the call. */
  exit?: ProcessExit
  lastOutput?: string
  /** Why the server ended the kernel, when the kernel broke its protocol. */
  fault?: string | undefined
}

/**
 * The outcome of one call: its outputs in order, within limits, as a kernel belongs to the guest and may send anything.
 */
export class Interpretation {
  outputs: InterpretOutput[] = []
  status: InterpretStatus = 'completed'
  /** How many calls the kernel has run; null when it ended. */
  executionCount: number | null = null
  /** True when a limit left out some of the output. */
  truncated = false
  /** True when the kernel, and with it all variables, ended with this call. */
  kernelLost = false
  readonly #memory: CallMemory
  /** Text of the last output that is not yet joined to it, as it may arrive character by character. */
  #unjoined: string[] = []
  readonly #remainingCharacters = { stdout: limits.interpretStreamCharacters, stderr: limits.interpretStreamCharacters }
  /** An unmodified kernel stays below this: it counts its results itself, and cuts what exceeds the limit. */
  #remainingBytes = limits.interpretResultBytes + 2 * 1024 * 1024
  #clearsNext = false

  constructor(memory: CallMemory) {
    this.#memory = memory
  }

  get error(): InterpretError | undefined {
    return this.outputs.findLast((output) => output.kind === 'error')
  }

  /** Adds an event that takes `weight` bytes. Returns false when the event has no effect. */
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
    const hasEffect = wait ? !this.#clearsNext : this.outputs.length > 0
    if (!wait) this.outputs = []
    this.#clearsNext = wait
    return hasEffect
  }

  finish(ending: Ending): void {
    const { why, timeoutMs, exit, lastOutput = '', fault } = ending
    this.#join()
    this.kernelLost = exit !== undefined
    if (why === undefined && !exit) this.status = this.error ? 'error' : 'completed'
    else if (why === 'timeout') {
      this.status = 'timeout'
      this.#fail('TimeoutError', timeoutMessage(timeoutMs!, exit))
    } else if (why === 'disconnected') {
      this.status = 'interrupted'
      this.#fail('Interrupted', 'The code was interrupted: its client disconnected, or the server was stopped')
    } else if (exit) {
      this.status = 'died'
      const message = fault === undefined ? deathMessage(exit, lastOutput) : faultMessage(fault)
      this.#fail('KernelDied', message, lastOutput === '' ? [] : lastOutput.trimEnd().split('\n'))
    }
  }

  /**
   * Records an error. It replaces the error that an interruption caused, and keeps that one's traceback, which shows
   * where the interruption struck.
   */
  #fail(name: string, message: string, traceback: string[] = []): void {
    const last = this.outputs.at(-1)
    if (last?.kind !== 'error') this.outputs.push({ kind: 'error', name, message, traceback })
    else Object.assign(last, { name, message, traceback: [...last.traceback, `${name}: ${message}`] })
  }

  #addText(name: 'stdout' | 'stderr', text: string): boolean {
    const kept = text.slice(0, this.#remainingCharacters[name])
    if (kept.length < text.length) this.truncated = true
    if (kept === '') return false
    if (!this.#reserve(2 * kept.length)) return false
    this.#remainingCharacters[name] -= kept.length
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

  /** Reserves memory. Returns false, and marks the outcome as truncated, when there is none. */
  #reserve(bytes: number): boolean {
    if (this.#memory.grow(bytes)) return true
    this.truncated = true
    return false
  }

  #addError(event: CallEvent & { event: 'error' }, weight: number): boolean {
    this.#remainingBytes -= weight
    // There is always room for the first error: without it, the response would report success.
    if (!this.error) return this.#push({ kind: 'error', ...bounded(event) }, true)
    if (this.#remainingBytes >= 0 && this.#reserve(weight)) return this.#push({ kind: 'error', ...bounded(event) })
    this.truncated = true
    return false
  }

  #addDisplay(event: CallEvent & { event: 'result' }, weight: number): boolean {
    this.#remainingBytes -= weight
    const { data, main, update, displayId } = event
    const text = this.#remainingBytes < 0 ? undefined : plainTextOf(data)
    const textBytes = text === data['text/plain'] ? 0 : 2 * (text ?? '').length
    if (this.#remainingBytes < 0 || !this.#reserve(weight + textBytes)) {
      this.truncated = true
      return false
    }
    const bundle = text === undefined ? data : { ...data, 'text/plain': text }
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
  const interrupted = `The code was interrupted: it ran longer than its timeout of ${timeoutMs} ms`
  if (!exit) return `${interrupted}. Variables are kept`
  return `${interrupted}, and did not stop when asked to. The kernel was ended, and its variables are lost; the next call starts a new kernel`
}

function faultMessage(fault: string): string {
  return `The kernel was ended: ${fault}. Its variables are lost; the next call starts a new kernel`
}

function deathMessage(exit: ProcessExit, lastOutput: string): string {
  const [heap] = /JavaScript heap out of memory/.exec(lastOutput) ?? []
  const why = {
    oom: 'the sandbox ran out of memory',
    stopped: 'its sandbox was stopped',
    out_of_credits: 'the account has no credit left',
    spending_limit: 'a spending limit is used up',
    disconnected: 'its client has left',
    lost: 'it was lost with the process monitor',
    timeout: 'it ran for too long',
    disk_full: `it ended with exit code ${exit.exitCode}, and the disk is full`,
    exited: `it ended with exit code ${exit.exitCode}`,
    signalled: heap ? `out of memory: ${heap}` : `it was ended by ${exit.signal}`,
  }[exit.reason]
  return `The kernel died: ${why}. Its variables are lost; the next call starts a new kernel`
}

/** Joined one by one, they would make a chain of millions of strings. */
const maxUnjoined = 1024
