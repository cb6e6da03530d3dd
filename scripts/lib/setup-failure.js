/** An obstacle on this machine. The message is one sentence that says what to do. */
export class SetupFailure extends Error {}

/**
 * Runs the body of a script. A `SetupFailure` becomes one sentence on stderr and exit code 1 instead of a stack trace.
 * @param {() => Promise<void>} body
 */
export async function reportingSetupFailure(body) {
  try {
    await body()
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}
