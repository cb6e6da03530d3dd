/** An error with Carrel's error envelope. */
export class FakeFailure extends Error {
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
