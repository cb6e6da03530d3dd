import type { Driver } from '../../../drivers/driver.ts'
import { limits } from '../../../config/limits.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'

/** How much a running computer uses of what it may use. */
export interface GaugeValues {
  memoryBytes: number
  memoryLimitBytes: number
  /** undefined where the storage does not count it. */
  diskBytes: number | undefined
  diskLimitBytes: number
  /** Processor time since the start, in microseconds. */
  cpuMicros: number
  measuredAtMs: number
}

/** Measures computers for those who watch them: each at most once within `limits.gaugesMs`, however many ask. */
export class Gauges {
  readonly #driver: Pick<Driver, 'stats'>
  readonly #latest = new Map<string, Promise<GaugeValues>>()

  constructor(driver: Pick<Driver, 'stats'>) {
    this.#driver = driver
  }

  /** Throws as the driver does when the computer does not run. */
  read({ id }: AccessibleComputer): Promise<GaugeValues> {
    const known = this.#latest.get(id)
    if (known) return known
    const measured = this.#measure(id)
    this.#latest.set(id, measured)
    setTimeout(() => this.#latest.delete(id), limits.gaugesMs).unref()
    return measured
  }

  async #measure(id: string): Promise<GaugeValues> {
    const { memoryBytes, memoryLimitBytes, diskBytes, diskLimitBytes, cpuMicros } = await this.#driver.stats(id)
    return { memoryBytes, memoryLimitBytes, diskBytes, diskLimitBytes, cpuMicros, measuredAtMs: Date.now() }
  }
}
