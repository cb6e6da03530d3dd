import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'

/** Returns the error for an account without credit, with what is left and where to pay. */
export function outOfCredits(
  engine: Pick<Context, 'server'>,
  message: string,
  leftMicros: number,
  facts: Record<string, unknown> = {},
): CarrelError {
  const details = { ...facts, creditsRemaining: leftMicros / 1_000_000, topupUrl: engine.server.links.topUp() }
  return new CarrelError('out_of_credits', message, { details })
}
