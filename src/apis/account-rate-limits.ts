import type { RateLimitPolicy } from '../http/rate-limits.ts'

/**
 * The limits of every surface whose document names none. They come from the settings, and count an account's requests
 * to all of these surfaces together.
 */
export const accountRateLimits: RateLimitPolicy = {
  by: 'account',
  perMinute: ({ readsPerMinute, writesPerMinute }) => ({ read: readsPerMinute, write: writesPerMinute }),
  limitsOwner: false,
  countsUnknown: false,
}
