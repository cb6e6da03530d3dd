import { limits } from '../config/limits.ts'
import type { Settings } from '../config/settings.ts'
import type { ComputerRow, Lifecycle } from '../db/schema.ts'

/** What happens to computers of one kind. Nothing else in the engine asks for the kind. */
export interface LifecyclePolicy {
  /** Its files survive a stop. Without them, the next start is from the image that new computers get. */
  keepsFiles: boolean
  /** Runs once, from its own image: only what created it starts it. */
  runsOnce: boolean
  /** May be deleted once it is stopped, to make room for another computer of its account. */
  isEvictable: boolean
  /** What is charged: the time in which something runs in it, or all the time in which it runs itself. */
  charged: 'work' | 'running'
  /** What ends when the account cannot pay: the programs in it, or the computer. */
  endsUnpaid: 'programs' | 'computer'
  /**
   * How much longer than its idle time it is kept when the account cannot pay, since stopping it deletes its files; 0
   * where it keeps them.
   */
  unpaidGraceMs: number
  /** Returns the time without use after which it stops; null for never. */
  idleTimeoutMs: (row: Pick<ComputerRow, 'idle_timeout_ms'>, settings: Pick<Settings, 'idleTimeoutMs'>) => number | null
}

const policies: Record<Lifecycle, LifecyclePolicy> = {
  sandbox: {
    keepsFiles: false,
    runsOnce: false,
    isEvictable: true,
    charged: 'work',
    endsUnpaid: 'programs',
    unpaidGraceMs: limits.unpaidSandboxMs,
    // The setting as it is now, also for a sandbox that was created under another one.
    idleTimeoutMs: (_row, settings) => settings.idleTimeoutMs,
  },
  durable: {
    keepsFiles: true,
    runsOnce: false,
    isEvictable: false,
    charged: 'running',
    endsUnpaid: 'computer',
    unpaidGraceMs: 0,
    idleTimeoutMs: (row) => row.idle_timeout_ms,
  },
  session: {
    keepsFiles: false,
    runsOnce: true,
    isEvictable: false,
    charged: 'running',
    endsUnpaid: 'computer',
    unpaidGraceMs: 0,
    // The time to live of its session alone ends it.
    idleTimeoutMs: () => null,
  },
}

/** Returns the policy of a computer's kind. */
export function policyOf({ lifecycle }: Pick<ComputerRow, 'lifecycle'>): LifecyclePolicy {
  return policies[lifecycle]
}

/** Returns the kinds whose policy fits, for queries. */
export function lifecyclesWhere(fits: (policy: LifecyclePolicy) => boolean): Lifecycle[] {
  return (Object.keys(policies) as Lifecycle[]).filter((lifecycle) => fits(policies[lifecycle]))
}
