/** Thrown by `break` and `continue`, and caught by the loop that they are for. */
export class LoopControl extends Error {
  readonly kind: 'break' | 'continue'
  levels: number
  constructor(kind: LoopControl['kind'], levels: number) {
    super(kind)
    this.kind = kind
    this.levels = levels
  }
}

/** Thrown by `return`, and caught by the function call. */
export class ReturnControl extends Error {
  readonly status: number
  constructor(status: number) {
    super('return')
    this.status = status
  }
}

/** Thrown by `exit`, and caught by the shell. */
export class ExitControl extends Error {
  readonly status: number
  constructor(status: number) {
    super('exit')
    this.status = status
  }
}
