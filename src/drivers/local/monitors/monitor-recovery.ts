import { setTimeout as delay } from 'node:timers/promises'
import type { DriverLog } from '../../driver-log.ts'
import type { LocalComputers } from '../computers/local-computers.ts'
import type { LocalProcesses } from '../processes/local-processes.ts'
import type { MonitorLoss, Monitors } from './monitors.ts'

interface Options {
  monitors: () => Pick<Monitors, 'open'>
  computers: () => Pick<LocalComputers, 'lost'>
  processes: () => Pick<LocalProcesses, 'lost'>
  log: DriverLog | undefined
}

/** Cleans up after a monitor that was killed, and starts a new one. */
export class MonitorRecovery {
  readonly #options: Options
  #closed = false

  constructor(options: Options) {
    this.#options = options
  }

  recover(loss: MonitorLoss): void {
    const { log } = this.#options
    void this.#recover(loss).catch((error: unknown) =>
      log?.warn({ err: error }, 'cannot clean up after a lost process monitor'),
    )
  }

  close(): void {
    this.#closed = true
  }

  async #recover({ current, hadProcess, hadComputer }: MonitorLoss): Promise<void> {
    const { computers, processes, log } = this.#options
    log?.warn({}, 'a process monitor ended: its processes and computers are lost')
    const lost = processes().lost(hadProcess)
    if (current) await this.#reopen()
    const computerIds = await lost
    await computers().lost((id) => hadComputer(id) || computerIds.has(id))
  }

  /** Tries until there is a monitor, as nothing can be started without one. */
  async #reopen(): Promise<void> {
    const { monitors, log } = this.#options
    while (!this.#closed) {
      try {
        return await monitors().open()
      } catch (error) {
        log?.warn({ err: error }, 'cannot start the process monitor; will try again')
        await delay(retryMs)
      }
    }
  }
}

const retryMs = 1000
