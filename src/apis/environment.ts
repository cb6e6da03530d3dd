import { Type, type Static } from 'typebox'
import { limits } from '../config/limits.ts'

/** The schema of environment variables, which people write as they write JSON: `{ "PORT": 8080, "DEBUG": true }`. */
export const environment = Type.Record(
  Type.String(),
  Type.Union([
    Type.String(),
    // JSON has no exact form of larger whole numbers.
    Type.Number({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
    Type.Boolean(),
    Type.Null(),
  ]),
  {
    description:
      'Environment variables. Numbers and booleans become text, such as "8080" and "true"; a variable that is null is left out',
    maxProperties: limits.environmentEntries,
  },
)

/** Returns variables as text, without those that are null. */
export function environmentOf(given: Static<typeof environment> | undefined): Record<string, string> | undefined {
  if (given === undefined || isText(given)) return given
  const entries = Object.entries(given).filter(([, value]) => value !== null)
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

function isText(given: Static<typeof environment>): given is Record<string, string> {
  return Object.values(given).every((value) => typeof value === 'string')
}
