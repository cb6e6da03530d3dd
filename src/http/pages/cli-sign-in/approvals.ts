import { randomBytes } from 'node:crypto'
import { limits } from '../../../config/limits.ts'
import type { Callback } from './callback.ts'

/** A person who has signed in, and is asked whether a program gets a key. */
export interface Approval {
  callback: Callback
  /** The token of the person. */
  credential: string
  accountId: string
  /** Whether the person signed in for this alone, so that the sign-in ends with it. */
  isNewSignIn: boolean
}

/** The questions that people have not answered yet. Each is answered once, by whoever has its page. */
export class Approvals {
  readonly #open = new Map<string, Approval & { expiresAtMs: number }>()

  /** Keeps a question; returns the secret of its page. The oldest one of too many is dropped. */
  add(approval: Approval): string {
    this.#dropExpired()
    const own = [...this.#open].filter(([, { accountId }]) => accountId === approval.accountId)
    if (own.length >= limits.cliApprovalsPerAccount) this.#open.delete(own[0]![0])
    else if (this.#open.size >= limits.cliApprovals) this.#open.delete(this.#open.keys().next().value!)
    const id = randomBytes(32).toString('base64url')
    this.#open.set(id, { ...approval, expiresAtMs: Date.now() + limits.cliApprovalMs })
    return id
  }

  /** Returns a question for its answer; undefined when it was answered already, or too long ago. */
  take(id: string): Approval | undefined {
    this.#dropExpired()
    const approval = this.#open.get(id)
    this.#open.delete(id)
    return approval
  }

  #dropExpired(): void {
    const now = Date.now()
    for (const [id, { expiresAtMs }] of this.#open) {
      // All of them last equally long, and the oldest come first.
      if (expiresAtMs > now) return
      this.#open.delete(id)
    }
  }
}
