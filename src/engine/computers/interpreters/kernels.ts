import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import { assertWasPaid } from '../credit/assert-credit.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { startProcess } from '../processes/start-process.ts'
import { Kernel, KernelEnd } from './kernel.ts'
import { kernelProgram, kernelPrograms, type KernelLanguage } from './kernel-programs.ts'
import type { ComputersContext } from '../computers.ts'
import type { Locks } from '../../locks.ts'

export interface FoundKernel {
  kernel: Kernel
  /** Why the previous kernel ended, when there was one and its variables are lost. */
  restartReason: string | undefined
}

/** The kernels of all computers, one for each language, started on first use. */
export class Kernels {
  readonly #known = new Map<string, Kernel>()
  readonly #locks: Locks
  readonly #waiting = new Map<string, number>()
  /** By the id of the kernel's process: the token whose call it runs. */
  readonly #callers = new Map<string, string>()

  constructor(locks: Locks) {
    this.#locks = locks
  }

  /** Runs the calls of one kernel one after the other. Throws `limit_reached` when too many wait already. */
  async inTurn<T>(computerId: string, language: KernelLanguage, work: () => Promise<T>): Promise<T> {
    const key = `${computerId}/${language}`
    const waiting = this.#waiting.get(key) ?? 0
    if (waiting > limits.interpretQueue)
      throw new CarrelError(
        'limit_reached',
        `Cannot run the code: ${limits.interpretQueue} calls already wait for the ${language} kernel of this sandbox`,
        { details: { limit: limits.interpretQueue } },
      )
    this.#waiting.set(key, waiting + 1)
    try {
      return await this.#locks.kernel(computerId, language, work)
    } finally {
      const others = this.#waiting.get(key)! - 1
      if (others > 0) this.#waiting.set(key, others)
      else this.#waiting.delete(key)
    }
  }

  /** Marks a kernel as running a call of a token until the returned function is called. */
  beginCall({ process }: Kernel, tokenId: string): () => void {
    this.#callers.set(process.processId, tokenId)
    return () => this.#callers.delete(process.processId)
  }

  /** Returns the token whose call the kernel with that process runs; undefined while the kernel waits. */
  callerOf(processId: string): string | undefined {
    return this.#callers.get(processId)
  }

  /**
   * Returns the running kernel, which this server or an earlier one started, or a new one. To be called within
   * `inTurn`.
   */
  async find(
    engine: ComputersContext,
    computer: AccessibleComputer<'run'>,
    language: KernelLanguage,
  ): Promise<FoundKernel> {
    const key = `${computer.id}/${language}`
    const known = this.#known.get(key)
    if (known && !known.process.exit) return { kernel: known, restartReason: undefined }
    const name = `kernel/${language}`
    const running = engine.driver.processesOn(computer.id).find(({ meta, exit }) => meta.name === name && !exit)
    const reconnected = running && (await Kernel.reconnected({ process: running, memory: engine.budgets.memory }))
    if (reconnected) return { kernel: this.#keep(key, reconnected), restartReason: undefined }
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
      // Its output waits until the server reads it, like that of any process, so that reading it delays this kernel
      // alone.
      backpressure: true,
    })
    return await Kernel.started({ process, memory: engine.budgets.memory })
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'not_found') throw lacks(error.message, error)
    if (!(error instanceof KernelEnd)) throw error
    if (process) await assertWasPaid(engine, process, {}, computer.caller.tokenId)
    if (error.missing !== undefined) throw lacks(error.missing, error)
    // Exit code 127: the shell finds no such program. 9: Node has no such option.
    if (error.exit.exitCode === 127 || error.exit.exitCode === 9) throw lacks(error.message, error)
    if (error.exit.reason === 'disk_full')
      throw new CarrelError('disk_full', `${doing}: the disk of the sandbox is full`, { cause: error })
    const why = error.exit.reason === 'oom' ? 'the sandbox ran out of memory' : error.message
    throw new CarrelError('unavailable', `${doing}: ${why}`, { cause: error })
  }
}

/** Returns how the newest kernel of that name ended; undefined when there was none. */
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
