/** The command line is wrong. The exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The user has answered no to a question. The exit code is 2 too, and the help is not mentioned. */
export class Declined extends UsageError {
  override name = 'Declined'
}
