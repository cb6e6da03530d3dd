import type { BuildProgress } from '../../driver.ts'

/** Derives steps and fractions from the output of `apt-get install`. */
export class AptProgress {
  readonly #from: number
  #total = 0
  #done = { Get: 0, Unpacking: 0, Setting: 0 }

  /** @param from the fraction at which the installation begins; it ends at 1 */
  constructor(from: number) {
    this.#from = from
  }

  /** Returns the progress that a line shows; undefined for other lines. */
  read(line: string): BuildProgress | undefined {
    this.#total ||= Number(/(\d+) newly installed/.exec(line)?.[1] ?? 0)
    const word = /^(Get|Unpacking|Setting)\b/.exec(line)?.[1]
    return word === undefined ? undefined : this.#count(word as keyof typeof packageSteps)
  }

  /** Computes the fraction from all kinds of steps, since apt alternates unpacking and setting up. */
  #count(word: keyof typeof packageSteps): BuildProgress | undefined {
    if (this.#total === 0) return undefined
    this.#done[word] = Math.min(this.#done[word] + 1, this.#total)
    const names = Object.keys(packageSteps) as (keyof typeof packageSteps)[]
    const done = names.reduce((sum, name) => sum + packageSteps[name].share * this.#done[name], 0)
    return {
      step: `${packageSteps[word].step} (${this.#done[word]} of ${this.#total})`,
      fraction: this.#from + (1 - this.#from) * (done / this.#total),
    }
  }
}

/** The share of the time that each kind of step takes. */
const packageSteps = {
  Get: { step: 'Downloading packages', share: 0.2 },
  Unpacking: { step: 'Unpacking packages', share: 0.45 },
  Setting: { step: 'Setting up packages', share: 0.35 },
} as const
