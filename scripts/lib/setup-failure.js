/** Something on this machine is in the way. The message is one sentence that says what to do. */
export class SetupFailure extends Error {}

/**
 * Runs a script's body; a failure of the set-up becomes its sentence on stderr and exit code 1, not a stack trace.
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
