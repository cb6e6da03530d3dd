import { CarrelError } from './errors.ts'

/** The database could not be used: not a fault of the request. Its message is for everybody, its cause for the operator. */
export class DatabaseFailure extends CarrelError {
  /** What the database does, in words that follow "it". */
  readonly why: string

  constructor(code: 'unavailable' | 'no_capacity', why: string, cause?: unknown) {
    super(code, `The database ${why}`, { cause })
    this.why = why
  }
}
