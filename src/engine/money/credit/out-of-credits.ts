import { CarrelError } from '../../../errors.ts'
import type { Engine } from '../../engine.ts'

/** The refusal of an account without credit, with what is left and where to pay. */
export function outOfCredits(
  engine: Engine,
  message: string,
  leftMicros: number,
  facts: Record<string, unknown> = {},
): CarrelError {
  const details = { ...facts, creditsRemaining: leftMicros / 1_000_000, topupUrl: `${engine.origin()}/topup` }
  return new CarrelError('out_of_credits', message, { details })
}
