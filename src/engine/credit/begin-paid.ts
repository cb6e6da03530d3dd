import type { Caller, Engine } from '../engine.ts'
import { assertCredit } from './assert-credit.ts'

/**
 * Lets work in a sandbox begin, as `assertCredit` does. Until the returned function is called it is under way: what is there is not yet
 * something that was left behind.
 */
export async function beginPaid(engine: Engine, caller: Caller, computerId: string): Promise<() => void> {
  await assertCredit(engine, caller)
  return engine.meter.expect(computerId)
}
