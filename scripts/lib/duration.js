/** Returns a duration as text for users. @param {number} durationMs */
export function duration(durationMs) {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}
