/** Thrown by `break`, `continue`, `return` and `exit`, to the construct that they are for. */
export class LoopControl extends Error {
  readonly kind: 'break' | 'continue'
  levels: number
  constructor(kind: LoopControl['kind'], levels: number) {
    super(kind)
    this.kind = kind
    this.levels = levels
  }
}

export class ReturnControl extends Error {
  readonly status: number
  constructor(status: number) {
    super('return')
    this.status = status
  }
}

export class ExitControl extends Error {
  readonly status: number
  constructor(status: number) {
    super('exit')
    this.status = status
  }
}
