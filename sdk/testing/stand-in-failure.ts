/** An error in the server's envelope. */
export class StandInFailure extends Error {
  readonly status: number
  readonly envelope: Record<string, unknown>

  constructor(status: number, code: string, message: string, more: Record<string, unknown> = {}) {
    super(message)
    this.status = status
    this.envelope = {
      error: message,
      code,
      action: 'CHECK',
      agentInstruction: `What to do about ${code}.`,
      requestId: 'req-1',
      ...more,
    }
  }
}
