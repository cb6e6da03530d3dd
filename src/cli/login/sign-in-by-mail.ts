import { CarrelApiError, CarrelConnectionError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { Interrupted } from '../interrupted.ts'
import { printable } from '../printable.ts'
import type { Call } from '../verb.ts'
import { joinWorkspace } from './join-workspace.ts'
import { parseMailedLink } from './mailed-link.ts'

/**
 * Signs in by a link that is sent to the address and pasted here. Opening the link gives nothing to the client that
 * requested it, so that nobody is signed in elsewhere by a link that someone else has requested. Mistyped answers are
 * asked for again, so that no further message is needed. `accept` rejects an answer that cannot be used.
 */
export async function signInByMail<T>(
  call: Call,
  client: Carrel,
  address: string,
  accept: (answer: string) => Promise<T>,
): Promise<T> {
  const { program } = call
  const report = (error: unknown) => program.stderr.line(`${printable((error as Error).message)}. Try again.`)
  const { to, message } = await repeatedly(address, report, {
    attempt: async (to) => ({ to, message: await client.requestLink(to) }),
    isMistake: (error) => error instanceof CarrelApiError && error.status === 400,
    askAgain: () => ask('Your mail address: '),
  })
  await program.stderr.line(`A link was requested for ${printable(to)}. ${printable(message)}`)
  const question = 'Paste the link, or the token that its page shows (it is not shown here): '
  const askForLink = async (): Promise<string> => {
    const answer = await ask(question, { secret: true })
    const link = linkIn(answer)
    if (link?.kind !== 'invitation') return answer
    await joinWorkspace(call, link)
    await program.stderr.line(
      'That was an invitation, which signs nobody in: the sign-in link is in the other message.',
    )
    return askForLink()
  }
  return repeatedly(await askForLink(), report, { attempt: accept, isMistake: isWrongAnswer, askAgain: askForLink })
}

interface Attempts<T> {
  attempt: (answer: string) => Promise<T>
  isMistake: (error: unknown) => boolean
  askAgain: () => Promise<string>
}

async function repeatedly<T>(
  first: string,
  report: (error: unknown) => Promise<void>,
  { attempt, isMistake, askAgain }: Attempts<T>,
): Promise<T> {
  let answer = first
  for (let left = maxAttempts - 1; ; left--)
    try {
      return await attempt(answer)
    } catch (error) {
      if (left === 0 || !isMistake(error)) throw error
      await report(error)
      answer = await askAgain()
    }
}

/** Returns the link in an answer. An incomplete link is reported when it is used. */
function linkIn(answer: string) {
  try {
    return parseMailedLink(answer)
  } catch {
    return undefined
  }
}

function isWrongAnswer(error: unknown): boolean {
  if (error instanceof CarrelApiError) return error.status === 401
  return !(error instanceof CarrelConnectionError) && !(error instanceof Interrupted)
}

const maxAttempts = 3
