import { isatty } from 'node:tty'
import { ask } from '../ask.ts'
import { Declined, UsageError } from '../usage-error.ts'
import type { ActionCall } from './action.ts'

/** Asks a user at a terminal, unless `--yes` is given. A program that deletes by name means it. */
export async function confirm({ values }: ActionCall, question: string): Promise<void> {
  if (values['yes'] || !isatty(0)) return
  const answer = await ask(`${question} (yes/no) `)
  if (!/^y(es)?$/i.test(answer)) throw new Declined('Nothing was done')
}

/** As `confirm`; without a terminal, `--yes` is required. */
export async function requireYes(call: ActionCall, question: string): Promise<void> {
  if (!call.values['yes'] && !isatty(0))
    throw new UsageError(`Cannot go on without confirmation: confirm with --yes. ${question}`)
  await confirm(call, question)
}
