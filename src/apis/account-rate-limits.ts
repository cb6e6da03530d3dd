import type { RateLimitPolicy } from '../http/rate-limits.ts'

/** The limits of every surface whose document names none: those of the settings, for an account on all of these surfaces together. */
export const accountRateLimits: RateLimitPolicy = {
  by: 'account',
  perMinute: ({ readsPerMinute, writesPerMinute }) => ({ read: readsPerMinute, write: writesPerMinute }),
  limitsOwner: false,
  countsUnknown: false,
}
