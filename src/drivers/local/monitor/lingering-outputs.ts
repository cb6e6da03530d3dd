import type { Readable } from 'node:stream'

/**
 * Outputs of ended processes that surviving children still hold open. They are read, so that no child is stopped by a
 * full or closed pipe. Each takes a descriptor, and one child can collect any number of them; so when there are too
 * many, the oldest output of the account, or of all, is closed.
 */
export class LingeringOutputs {
  readonly #maxPerAccount: number
  readonly #maxTotal: number
  readonly #all = new Set<Readable>()
  readonly #byAccount = new Map<string, Set<Readable>>()

  constructor({ maxPerAccount, maxTotal }: { maxPerAccount: number; maxTotal: number }) {
    this.#maxPerAccount = maxPerAccount
    this.#maxTotal = maxTotal
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
    if (own.size > this.#maxPerAccount) closeOldest(own)
    else if (this.#all.size > this.#maxTotal) closeOldest(this.#all)
  }
}

function closeOldest(outputs: Set<Readable>): void {
  const [oldest] = outputs
  outputs.delete(oldest!)
  oldest!.destroy()
}
