import { CarrelError } from '../errors.ts'

/** The refusal of what nobody set up, with its reason, and what to do for who can: `todo` names the settings, as in `set CARREL_STRIPE_KEY`. */
export function notSetUp(doing: string, reason: string, todo: string): CarrelError {
  const settings = todo.match(/CARREL_\w+/g) ?? []
  return new CarrelError('not_set_up', `${doing}: ${reason}; ${todo}`, { details: { settings } })
}
