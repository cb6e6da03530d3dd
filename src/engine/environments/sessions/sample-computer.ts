import type { ComputerRow, SessionRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { newComputer } from '../../computers/lifecycle/new-computer.ts'
import type { EnvironmentsContext } from '../environments.ts'
import type { Task } from '../task.ts'

/** How the programs of a session are run. What is null is the image's own. */
export interface SessionPrograms {
  cwd: string | null
  user: string | null
  env: Record<string, string>
}

export function programsOf({ environment, agent }: Task): SessionPrograms {
  return { cwd: environment.workdir, user: agent.user ?? environment.user, env: environment.env }
}

/** Returns the directory of a session's programs. */
export function workdirOf(programs: string, imageWorkdir: string): string {
  return (JSON.parse(programs) as SessionPrograms).cwd ?? imageWorkdir
}

/** Throws `invalid_request` for a task that asks for what this server cannot enforce. */
export function assertEnforceable({ environment: { network, memoryBytes } }: Task, hostMemoryBytes: number): void {
  const refuse = (why: string) => {
    throw new CarrelError('invalid_request', `Cannot run the sample: ${why}`, { details: { field: 'sample_id' } })
  }
  if (network !== 'public') refuse('it restricts the network, which this server cannot do for a computer')
  if (memoryBytes !== null && memoryBytes > hostMemoryBytes)
    refuse(`it needs ${memoryBytes} bytes of memory, and the host has ${hostMemoryBytes}`)
}

/** Returns the row of a session's computer, which does not exist on the host yet. */
export function computerOfSession(
  engine: Pick<EnvironmentsContext, 'settings' | 'defaultImage' | 'node'>,
  session: SessionRow,
  { environment }: Task,
  image: string,
): ComputerRow {
  const row = newComputer(engine, { accountId: session.account_id, name: `session-${session.id}` })
  return {
    ...row,
    id: session.id,
    image,
    cpus: environment.cpus ?? row.cpus,
    memory_bytes: environment.memoryBytes ?? row.memory_bytes,
    disk_bytes: environment.storageBytes ?? row.disk_bytes,
    lifecycle: 'session',
    idle_timeout_ms: null,
  }
}
