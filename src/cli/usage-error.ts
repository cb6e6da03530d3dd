/** The command line is wrong. The exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}
