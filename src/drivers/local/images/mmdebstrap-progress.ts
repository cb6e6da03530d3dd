import type { BuildProgress } from '../../driver.ts'
import { AptProgress } from './apt-progress.ts'

/** Derives steps and fractions from the output of `mmdebstrap --verbose`. */
export class MmdebstrapProgress {
  #apt: AptProgress | undefined

  /** Returns the progress that a line shows; undefined for other lines. */
  read(line: string): BuildProgress | undefined {
    const phase = phases.find(({ mark }) => line.startsWith(`I: ${mark}`))
    if (phase) {
      this.#apt = phase === remaining ? new AptProgress(remaining.fraction) : undefined
      return { step: phase.step, fraction: phase.fraction }
    }
    return this.#apt?.read(line)
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
