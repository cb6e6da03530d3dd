import type { Static, TObject } from 'typebox'
import { Compile } from 'typebox/compile'
import type { AccessibleComputer } from '../../../engine/computers/access/open-computer.ts'
import type { Caller } from '../../../engine/caller.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { LargeResponse } from '../../../http/large-response.ts'
import type { KeyedLock } from '../../../keyed-lock.ts'
import { invalidValue, type SchemaError } from '../../../http/invalid-value.ts'
import { paramsOf } from '../params-of.ts'

/** What is answered: fields, their JSON, or what makes them once the client can take them, where they are many. */
export type Answer = Fields | string | LargeResponse | (() => Promise<Fields | string | LargeResponse>)
export type Fields = Record<string, unknown>

/** What a message is handled with. */
export interface Call<F = Fields> {
  engine: Engine
  caller: Caller
  token: string
  fields: F
  /** The size of a message whose fields are too large to be made JSON again in one go; undefined for others. */
  largeBytes: number | undefined
  /** Aborts when the connection is gone. */
  closed: AbortSignal
  /** Processes whose output comes over this connection, by their id: each with what ends it. */
  attached: Map<string, AbortController>
  /** Keeps what goes to one process in order. */
  inputs: KeyedLock
  /** Sends something that belongs to this request, once the client can take it. */
  send: (type: string, make: Fields | (() => Fields)) => Promise<void>
  /** How much of a process's output is read for this connection at a time. */
  readBytes: number
  /** Suggestions for this connection are looked for on that computer too. */
  watch: (sessionId: string, computer: AccessibleComputer) => void
  /** The message itself is no longer needed: it does not count as a burden of the connection any more. */
  begun: () => void
}

/** What help and the discovery document tell of a message. */
export interface MessageHelp {
  description: string
  params: unknown
  returns: string | Readonly<Record<string, string>>
  notes?: string
  example?: unknown
}

/** A message that a client may send: the one source of its check, its help and its place in discovery. */
export interface Message {
  type: string
  /** Messages of one type are told apart by their field `action`. */
  action?: string
  /** The type of its answer; `<type>_result` by default. */
  answer?: string
  help: () => MessageHelp
  /** undefined when it has answered by itself. */
  run: (call: Call) => Promise<Answer | undefined>
}

interface Definition<F extends TObject> extends Omit<MessageHelp, 'params'> {
  type: string
  action?: string
  answer?: string
  fields: F
  run: (call: Call<Static<F>>) => Promise<Answer | undefined> | Answer
}

/** A message with fields of its own. */
export function defineMessage<F extends TObject>(definition: Definition<F>): Message {
  const { type, action, answer, fields, run, ...help } = definition
  const check = Compile(fields)
  return {
    type,
    action,
    answer,
    help: () => ({ ...help, params: paramsOf(fields) }),
    run: async (call) => {
      if (!check.Check(call.fields))
        throw invalidValue(nearest(check.Errors(call.fields)), call.fields, 'message', fields)
      return run(call as Call<Static<F>>)
    },
  }
}

/** Where none of several choices fits, what is wrong with the one that fits best says more than that. */
function nearest(errors: SchemaError[]): SchemaError[] {
  const told = errors.find(({ keyword }) => keyword !== 'anyOf')
  const inside = errors.find(({ instancePath }) => told && instancePath.startsWith(`${told.instancePath}/`))
  const best = inside ?? told
  return best ? [best] : errors
}
