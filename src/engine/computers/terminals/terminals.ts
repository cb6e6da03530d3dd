import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { startProcess } from '../processes/start-process.ts'
import { waitForExit } from '../processes/wait-for-exit.ts'
import { TerminalOutput } from './terminal-output.ts'
import { loginShell, terminalCommand, terminalFacts, terminalName, type TerminalSize } from './terminal-process.ts'

/** A login shell that stays for whoever comes back to it, until it exits or its computer stops. */
export interface Terminal {
  id: string
  /** Which of the computer's terminals it is, from 1 on. */
  number: number
  process: ProcessHandle
  /** Its present size. */
  size: TerminalSize
  output: TerminalOutput
}

/** The terminals of computers: processes that no list of processes shows, and that outlive their clients and the server. */
export class Terminals {
  readonly #known = new Map<string, Terminal>()
  readonly #starting = new Map<string, Set<number>>()

  /** Returns the terminals of a computer that have not ended, in the order of their start. */
  list(engine: Pick<ComputersContext, 'driver'>, computer: AccessibleComputer): Terminal[] {
    return this.#all(engine, computer).filter(({ process }) => !process.exit)
  }

  /** Returns a terminal of a computer, also one that has just ended. Throws `not_found`. */
  find(engine: Pick<ComputersContext, 'driver'>, computer: AccessibleComputer<'run'>, id: string): Terminal {
    const found = this.#all(engine, computer).find((terminal) => terminal.id === id)
    if (found) return found
    throw new CarrelError(
      'not_found',
      `Cannot find terminal ${JSON.stringify(id.slice(0, 128))}: the computer has none of this id`,
    )
  }

  /** Starts a terminal. Throws `limit_reached`, and as `startProcess` does. */
  async open(engine: ComputersContext, computer: AccessibleComputer<'run'>, size: TerminalSize): Promise<Terminal> {
    const number = this.#take(engine, computer)
    const processId = newId()
    try {
      const process = await startProcess(engine, computer, {
        kind: 'kernel',
        processId,
        name: terminalName(processId),
        program: { argv: loginShell },
        command: terminalCommand({ number, size }),
        env: { COLORTERM: 'truecolor' },
        tty: size,
        stdin: true,
        detached: true,
      })
      engine.unreadOutput.read(process)
      return this.#known.get(processId) ?? this.#remember(process)
    } finally {
      this.#starting.get(computer.id)?.delete(number)
      if (this.#starting.get(computer.id)?.size === 0) this.#starting.delete(computer.id)
    }
  }

  /** Ends a terminal with everything that runs in it. Throws `not_found`. */
  async end(
    engine: Pick<ComputersContext, 'driver' | 'server'>,
    computer: AccessibleComputer<'run'>,
    id: string,
  ): Promise<void> {
    const { process } = this.find(engine, computer, id)
    if (process.exit) return
    await process.kill('SIGKILL', 'tree')
    await waitForExit(engine.server, process, Date.now() + limits.stopGraceMs)
  }

  /** Returns the lowest number that is free, and keeps it for a terminal that starts. Throws `limit_reached`. */
  #take(engine: Pick<ComputersContext, 'driver'>, computer: AccessibleComputer<'run'>): number {
    const starting = this.#starting.get(computer.id) ?? new Set()
    const taken = new Set([...starting, ...this.list(engine, computer).map(({ number }) => number)])
    const limit = limits.terminalsPerComputer
    if (taken.size >= limit)
      throw new CarrelError('limit_reached', `Cannot open a terminal: the computer has ${limit}, which is the limit`, {
        details: { limit },
      })
    let number = 1
    while (taken.has(number)) number++
    this.#starting.set(computer.id, starting.add(number))
    return number
  }

  #all({ driver }: Pick<ComputersContext, 'driver'>, { id }: AccessibleComputer): Terminal[] {
    return driver
      .processesOn(id)
      .filter((process) => terminalFacts(process) !== undefined)
      .map((process) => this.#known.get(process.processId) ?? this.#remember(process))
  }

  #remember(process: ProcessHandle): Terminal {
    const { number, size } = terminalFacts(process)!
    const { processId: id } = process
    const terminal = { id, number, process, size, output: new TerminalOutput(process) }
    this.#known.set(id, terminal)
    void process.wait().then(() => this.#known.delete(id))
    return terminal
  }
}
