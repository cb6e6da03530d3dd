import { CarrelError } from '../errors.ts'

/**
 * Returns the error for a feature that is not configured, with the reason and what the operator can do: `todo` names
 * the settings, as in `set CARREL_STRIPE_KEY`.
 */
export function notSetUp(doing: string, reason: string, todo: string): CarrelError {
  const settings = todo.match(/CARREL_\w+/g) ?? []
  return new CarrelError('not_set_up', `${doing}: ${reason}; ${todo}`, { details: { settings } })
}
