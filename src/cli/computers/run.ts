import type { Carrel } from '../../../sdk/index.ts'
import { missing, type ActionCall } from './action.ts'
import { chosenOne } from './choose.ts'

/** Runs a command in a computer, as `exec` does in a sandbox: a computer's handle is the name of its session. */
export async function exec(call: ActionCall, client: Carrel): Promise<number> {
  const [name, ...command] = call.operands
  if (name === undefined || command.length === 0) throw missing(call, name === undefined ? 'computer' : 'command')
  // A failure has the exit code of "exec", which no command has.
  call.program.verb = 'exec'
  const { handle } = await client.computers.get(name)
  const { exec: verb } = await import('../verbs/exec.ts')
  return verb.run({ ...call, operands: command, values: { ...call.values, session: handle } })
}

/** Opens a shell by SSH, as `ssh` does. */
export async function ssh(call: ActionCall, client: Carrel): Promise<number> {
  const name = await chosenOne(call, client)
  const { ssh: verb } = await import('../verbs/ssh.ts')
  return verb.run({ ...call, operands: [name, ...call.operands.slice(1)] })
}
