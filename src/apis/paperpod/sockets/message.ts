import type { Static, TObject } from 'typebox'
import { Compile } from 'typebox/compile'
import type { AccessibleComputer } from '../../../engine/computers/access/open-computer.ts'
import type { Caller } from '../../../engine/caller.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { LargeResponse } from '../../../http/large-response.ts'
import type { KeyedLock } from '../../../keyed-lock.ts'
import { CarrelError } from '../../../errors.ts'
import { invalidValue, type SchemaError } from '../../../http/invalid-value.ts'
import { removeUnknown } from '../../../http/unknown-fields.ts'
import { paramsOf } from '../params-of.ts'
import type { Suggestion } from './suggestions.ts'

/** An answer: fields, their JSON, or for a large answer a function that makes it once the client can take it. */
export type Answer = Fields | string | LargeResponse | (() => Promise<Fields | string | LargeResponse>)
export type Fields = Record<string, unknown>

/** A message that is being handled, with its context. */
export interface Call<F = Fields> {
  engine: Engine
  caller: Caller
  token: string
  fields: F
  /** The size of a message whose fields are too large to be serialized again in one go; undefined for others. */
  largeBytes: number | undefined
  /** Aborts when the connection is gone. */
  closed: AbortSignal
  /** The processes whose output is sent over this connection, by id, each with the controller that stops it. */
  attached: Map<string, AbortController>
  /** Keeps the input of each process in order. */
  inputs: KeyedLock
  /** Sends a message that belongs to this request, once the client can take it. */
  send: (type: string, make: Fields | (() => Fields)) => Promise<void>
  /** Sends a suggestion about the message. By default it is about fields that were ignored. */
  hint: (message: string, category?: Suggestion['category']) => void
  /** How many bytes of a process's output to read at a time for this connection. */
  readBytes: number
  /** Also sends this connection suggestions about a computer. */
  watch: (sessionId: string, computer: AccessibleComputer) => void
  /** Stops counting the memory of the message, which is no longer needed. */
  releaseMessage: () => void
}

/** What help and the discovery document say about a message. */
export interface MessageHelp {
  description: string
  params: unknown
  returns: string | Readonly<Record<string, string>>
  notes?: string
  example?: unknown
}

/** A message that a client can send: the only source of its validation, its help and its entry in discovery. */
export interface Message {
  type: string
  /** Distinguishes messages of the same type: the field `action`. */
  action?: string
  /** The route that it calls, if it does. */
  route?: string
  /** The type of the answer; `<type>_result` by default. */
  answer?: string
  help: () => MessageHelp
  /** Returns the schema of its fields. */
  schema: () => object
  /** Returns the answer; undefined if it has already been sent. */
  run: (call: Call) => Promise<Answer | undefined>
}

interface Definition<F extends TObject> extends Omit<MessageHelp, 'params'> {
  type: string
  action?: string
  answer?: string
  fields: F
  run: (call: Call<Static<F>>) => Promise<Answer | undefined> | Answer
}

/** Returns a message that is not that of a route. */
export function defineMessage<F extends TObject>(definition: Definition<F>): Message {
  const { type, action, answer, fields, run, ...help } = definition
  const check = Compile(fields)
  return {
    type,
    action,
    answer,
    help: () => ({ ...help, params: paramsOf(fields) }),
    schema: () => fields,
    run: async (call) => {
      if (!check.Check(call.fields)) refit(call, fields, check)
      return run(call as Call<Static<F>>)
    },
  }
}

interface Check {
  Check: (value: unknown) => boolean
  Errors: (value: unknown) => SchemaError[]
}

/** Removes the fields of a message that its schema does not have. Throws `invalid_request` if it does not fit then. */
function refit({ fields, hint }: Call, schema: TObject, check: Check): void {
  const hints = removeUnknown(schema, fields).join(' ')
  if (check.Check(fields)) return void (hints && hint(hints))
  const { code, message, details } = invalidValue(check.Errors(fields), fields, 'message', schema)
  throw new CarrelError(code, hints ? `${message}. ${hints}` : message, { details })
}
