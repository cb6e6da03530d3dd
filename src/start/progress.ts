import type { BuildProgress } from '../drivers/driver.ts'

/**
 * Shows the progress of a long preparation: one line that is overwritten on a terminal, one line for each step
 * elsewhere.
 */
export function showProgress(what: string): { step: (progress: BuildProgress) => void; end: () => void } {
  const started = Date.now()
  const { isTTY } = process.stderr
  let last = ''
  const line = ({ step, fraction }: BuildProgress) => {
    const share = fraction === undefined ? '' : ` ${String(Math.round(fraction * 100)).padStart(3)} %`
    return `${what}${share}  ${step} (${Math.round((Date.now() - started) / 1000)} s)`
  }
  return {
    step(progress) {
      if (isTTY) process.stderr.write(`\r\u001B[K${line(progress).slice(0, (process.stderr.columns ?? 100) - 1)}`)
      else if (phase(progress) !== last) process.stderr.write(`${line(progress)}\n`)
      last = phase(progress)
    },
    end() {
      if (isTTY && last) process.stderr.write('\r\u001B[K')
    },
  }
}

/** Returns a step without its count, e.g. "Unpacking packages" of "Unpacking packages (3 of 49)". */
function phase({ step }: BuildProgress): string {
  return step.replace(/ \(.*\)$/, '')
}
