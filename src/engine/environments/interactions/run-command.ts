import type { InteractionRow } from '../../../db/schema.ts'
import { asCarrelError } from '../../../errors.ts'
import { keepInUse } from '../../computers/access/keep-in-use.ts'
import { programFor } from '../../computers/processes/program.ts'
import { startProcess } from '../../computers/processes/start-process.ts'
import { newId } from '../../ids.ts'
import type { EnvironmentsContext } from '../environments.ts'
import type { OpenSession } from '../sessions/find-session.ts'
import type { SessionPrograms } from '../sessions/sample-computer.ts'
import { insertInteraction } from './new-interaction.ts'
import { failed } from './outcome-of.ts'
import { persistentShell } from './persistent-shell.ts'
import { followProcess, recordEnd } from './record-end.ts'

export interface Command {
  /** The id of the interaction, where it was chosen before; a new one when undefined. */
  id?: string | undefined
  command: string
  timeoutMs: number
  /** Whether it continues with the directory and the variables of the one before it. */
  isPersistent: boolean
  cwd?: string | undefined
  env?: Record<string, string> | undefined
  user?: string | undefined
}

/**
 * Starts a command in a session, and returns its interaction, whose end is recorded whether or not anybody waits. Throws
 * what `insertInteraction` and `startProcess` throw; a command that did not start is an interaction that has failed.
 */
export async function runCommand(
  engine: EnvironmentsContext,
  { row: session, computer }: OpenSession,
  { id = newId(), command, timeoutMs, isPersistent, ...own }: Command,
): Promise<InteractionRow> {
  const programs = JSON.parse(session.programs) as SessionPrograms
  engine.openInteractions.add(id)
  const done = keepInUse(engine, computer)
  try {
    const shell = isPersistent ? 'persistent' : null
    const interaction = await insertInteraction(engine, session, { id, kind: 'exec', shell, command })
    const cwd = own.cwd ?? programs.cwd ?? undefined
    const user = own.user ?? programs.user ?? undefined
    const process = await startProcess(engine, computer, {
      kind: 'exec',
      processId: id,
      program: isPersistent ? persistentShell(command) : programFor('shell', command),
      command,
      timeoutMs,
      env: { ...programs.env, ...own.env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(user === undefined ? {} : { user }),
    }).catch(async (error: unknown) => {
      await recordEnd(engine, id, failed(`The command did not start: ${asCarrelError(error).message}`)).catch(() => {})
      throw error
    })
    followProcess(engine, process)
    return interaction
  } catch (error) {
    engine.openInteractions.delete(id)
    throw error
  } finally {
    done()
  }
}
