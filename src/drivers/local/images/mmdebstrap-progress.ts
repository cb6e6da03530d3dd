import type { BuildProgress } from '../../driver.ts'

/** Derives steps and fractions from the output of `mmdebstrap --verbose`. */
export class MmdebstrapProgress {
  #remaining = false
  #total = 0
  #done = { Get: 0, Unpacking: 0, Setting: 0 }

  /** Returns the progress that a line shows; undefined for other lines. */
  read(line: string): BuildProgress | undefined {
    const phase = phases.find(({ mark }) => line.startsWith(`I: ${mark}`))
    if (phase) {
      this.#remaining = phase === remaining
      return { step: phase.step, fraction: phase.fraction }
    }
    if (!this.#remaining) return undefined
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
      fraction: remaining.fraction + (1 - remaining.fraction) * (done / this.#total),
    }
  }
}

const remaining = { mark: 'installing remaining packages', step: 'Installing packages', fraction: 0.2 }

const phases = [
  { mark: 'running --setup-hook', step: 'Reading the package lists', fraction: 0 },
  { mark: 'running apt-get update', step: 'Reading the package lists', fraction: 0 },
  { mark: 'downloading packages', step: 'Downloading essential packages', fraction: 0.05 },
  { mark: 'extracting archives', step: 'Extracting essential packages', fraction: 0.1 },
  { mark: 'installing essential packages', step: 'Installing essential packages', fraction: 0.15 },
  remaining,
  { mark: 'cleaning', step: 'Cleaning up after the packages', fraction: 1 },
]

/** The share of the time that each kind of step takes. */
const packageSteps = {
  Get: { step: 'Downloading packages', share: 0.2 },
  Unpacking: { step: 'Unpacking packages', share: 0.45 },
  Setting: { step: 'Setting up packages', share: 0.35 },
} as const
