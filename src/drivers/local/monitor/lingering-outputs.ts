import type { Readable } from 'node:stream'

/**
 * Outputs of processes that have ended, which children that live on still hold open. They are read, so that no child is stopped by a
 * pipe that is full or gone; but each is a descriptor, and one child can collect any number of them. The oldest of an account,
 * or of all, is closed when there are too many.
 */
export class LingeringOutputs {
  readonly #maxOfOne: number
  readonly #most: number
  readonly #all = new Set<Readable>()
  readonly #byAccount = new Map<string, Set<Readable>>()

  constructor({ maxOfOne, most }: { maxOfOne: number; most: number }) {
    this.#maxOfOne = maxOfOne
    this.#most = most
  }

  add(account: string, output: Readable): void {
    if (output.destroyed) return
    const own = this.#byAccount.get(account) ?? new Set()
    this.#byAccount.set(account, own.add(output))
    this.#all.add(output)
    output.once('close', () => {
      this.#all.delete(output)
      own.delete(output)
      if (own.size === 0 && this.#byAccount.get(account) === own) this.#byAccount.delete(account)
    })
    if (own.size > this.#maxOfOne) close(own)
    else if (this.#all.size > this.#most) close(this.#all)
  }
}

function close(outputs: Set<Readable>): void {
  const [oldest] = outputs
  outputs.delete(oldest!)
  oldest!.destroy()
}
