import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import { KeyedLock } from '../../../keyed-lock.ts'
import { assertWasPaid } from '../credit/assert-credit.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { startProcess } from '../processes/start-process.ts'
import { Kernel, KernelEnd } from './kernel.ts'
import { kernelProgram, kernelPrograms, type KernelLanguage } from './kernel-programs.ts'
import type { ComputersContext } from '../computers.ts'

export interface FoundKernel {
  kernel: Kernel
  /** Why the one before it ended, when there was one and its variables are gone. */
  restartReason: string | undefined
}

/** The kernels of all computers, one for each language, started when they are first asked for. */
export class Kernels {
  readonly #known = new Map<string, Kernel>()
  readonly #turns = new KeyedLock()
  readonly #waiting = new Map<string, number>()
  /** By the kernel's process: whose call it runs. */
  readonly #callers = new Map<string, string>()

  /** Calls of one kernel come one after the other. Rejects with `limit_reached` when too many wait already. */
  async inTurn<T>(computerId: string, language: KernelLanguage, work: () => Promise<T>): Promise<T> {
    const key = `${computerId}/${language}`
    const waiting = this.#waiting.get(key) ?? 0
    if (waiting > limits.interpretQueue)
      throw new CarrelError(
        'limit_reached',
        `Cannot run the code: ${limits.interpretQueue} calls wait for the ${language} kernel of this sandbox already`,
        { details: { limit: limits.interpretQueue } },
      )
    this.#waiting.set(key, waiting + 1)
    try {
      return await this.#turns.run(key, work)
    } finally {
      const left = this.#waiting.get(key)! - 1
      if (left > 0) this.#waiting.set(key, left)
      else this.#waiting.delete(key)
    }
  }

  /** A kernel runs somebody's call until the returned function is called. */
  calling({ process }: Kernel, tokenId: string): () => void {
    this.#callers.set(process.processId, tokenId)
    return () => this.#callers.delete(process.processId)
  }

  /** Whose call the kernel with that process runs; undefined while it waits. */
  callerOf(processId: string): string | undefined {
    return this.#callers.get(processId)
  }

  /** The kernel that lives, of this server or of one before it, or a new one. To be called in turn. */
  async find(
    engine: ComputersContext,
    computer: AccessibleComputer<'run'>,
    language: KernelLanguage,
  ): Promise<FoundKernel> {
    const key = `${computer.id}/${language}`
    const known = this.#known.get(key)
    if (known && !known.process.exit) return { kernel: known, restartReason: undefined }
    const name = `kernel/${language}`
    const left = engine.driver
      .processes()
      .find(({ computerId, meta, exit }) => computerId === computer.id && meta.name === name && !exit)
    const takenBack = left && (await Kernel.takenBack({ process: left, memory: engine.budgets.memory }))
    if (takenBack) return { kernel: this.#keep(key, takenBack), restartReason: undefined }
    const restartReason = await lastEnd(engine, computer.id, name)
    return { kernel: this.#keep(key, await start(engine, computer, language, name)), restartReason }
  }

  #keep(key: string, kernel: Kernel): Kernel {
    this.#known.set(key, kernel)
    void kernel.ended.then(() => {
      if (this.#known.get(key) === kernel) this.#known.delete(key)
    })
    return kernel
  }
}

async function start(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  language: KernelLanguage,
  name: string,
): Promise<Kernel> {
  const doing = `Cannot start a ${language} kernel`
  const lacks = (what: string, cause: unknown) =>
    new CarrelError('package_missing', `${doing}: ${what}; it needs ${kernelPrograms[language].needs}`, { cause })
  let process: ProcessHandle | undefined
  try {
    process = await startProcess(engine, computer, {
      kind: 'kernel',
      program: kernelProgram(language),
      command: `${language} kernel`,
      name,
      stdin: true,
      // It waits for the server like anything that prints: what it says takes time of it alone.
      backpressure: true,
    })
    return await Kernel.started({ process, memory: engine.budgets.memory })
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'not_found') throw lacks(error.message, error)
    if (!(error instanceof KernelEnd)) throw error
    if (process) await assertWasPaid(engine, process, {}, computer.caller.tokenId)
    if (error.missing !== undefined) throw lacks(error.missing, error)
    // The shell finds no such program, or Node no such option.
    if (error.exit.exitCode === 127 || error.exit.exitCode === 9) throw lacks(error.message, error)
    if (error.exit.reason === 'disk_full')
      throw new CarrelError('disk_full', `${doing}: the disk of the sandbox is full`, { cause: error })
    const why = error.exit.reason === 'oom' ? 'the sandbox ran out of memory' : error.message
    throw new CarrelError('unavailable', `${doing}: ${why}`, { cause: error })
  }
}

/** How the newest kernel of that name ended; undefined when there was none. */
async function lastEnd(
  engine: Pick<ComputersContext, 'db' | 'recorder'>,
  computerId: string,
  name: string,
): Promise<string | undefined> {
  await engine.recorder.flush()
  const row = await engine.db
    .selectFrom('processes')
    .select('reason')
    .where('computer_id', '=', computerId)
    .where('kind', '=', 'kernel')
    .where('name', '=', name)
    .orderBy('started_at', 'desc')
    .executeTakeFirst()
  return row && (row.reason ?? 'lost')
}
