import { posix } from 'node:path'
import type { InteractionRow } from '../../../db/schema.ts'
import { Slices } from '../../../slices.ts'
import { keepInUse } from '../../computers/access/keep-in-use.ts'
import { replaceOnce } from '../../computers/files/replace-once.ts'
import { newId } from '../../ids.ts'
import type { EnvironmentsContext } from '../environments.ts'
import type { OpenSession } from '../sessions/find-session.ts'
import { workdirOf } from '../sessions/sample-computer.ts'
import { insertInteraction } from './new-interaction.ts'
import { failed } from './outcome-of.ts'
import { recordEnd } from './record-end.ts'

/** What a text is replaced by. A path that is not absolute is one of the session's directory. */
interface Replacement {
  path: string
  find: string
  replace: string
}

/**
 * Replaces a text in a file of a session, if it is there exactly once, and returns the interaction, whose message says
 * what was done or why nothing was. Throws what `insertInteraction` throws.
 */
export async function replaceText(
  engine: EnvironmentsContext,
  { row: session, computer }: OpenSession,
  { path, find, replace }: Replacement,
): Promise<Pick<InteractionRow, 'id' | 'message'> & { isReplaced: boolean }> {
  const id = newId()
  const absolute = posix.resolve(workdirOf(session.programs, computer.image.workdir), path)
  engine.openInteractions.add(id)
  const done = keepInUse(engine, computer)
  try {
    await insertInteraction(engine, session, { id, kind: 'str_replace', shell: null, command: absolute })
    const slices = new Slices(session.account_id)
    const { isReplaced, message } = await replaceOnce(
      engine,
      computer,
      { path: absolute, find, replace },
      slices,
    ).catch(async (error: unknown) => {
      await recordEnd(engine, id, failed('The text was not replaced: the server failed')).catch(() => {})
      throw error
    })
    const exitCode = isReplaced ? 0 : 1
    await recordEnd(engine, id, { status: 'completed', reason: null, exitCode, success: isReplaced, message })
    return { id, message, isReplaced }
  } finally {
    done()
    engine.openInteractions.delete(id)
  }
}
