import { CarrelApiError, CarrelConnectionError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { Interrupted } from '../interrupted.ts'
import { printable } from '../printable.ts'
import type { Call } from '../verb.ts'
import { joinWorkspace } from './join-workspace.ts'
import { parseMailedLink } from './mailed-link.ts'

/**
 * The link goes to the address alone, and who has it brings it here: a click on it gives nothing to whoever asked for it, so that nobody
 * is signed in elsewhere by a link that a stranger had sent to them. What is mistyped is asked for again, so that no other message is
 * needed. `accept` rejects what is good for nothing.
 */
export async function signInByMail<T>(
  call: Call,
  client: Carrel,
  address: string,
  accept: (answer: string) => Promise<T>,
): Promise<T> {
  const { program } = call
  const tell = (error: unknown) => program.stderr.line(`${printable((error as Error).message)}. Try again.`)
  const sentTo = await repeatedly(address, tell, {
    attempt: async (to) => {
      await client.requestLink(to)
      return to
    },
    isMistake: (error) => error instanceof CarrelApiError && error.status === 400,
    askAgain: () => ask('Your mail address: '),
  })
  await program.stderr.line(`A link is on its way to ${printable(sentTo)}; it works once, within 15 minutes.`)
  const question = 'Paste the link, or the token that its page shows (it is not shown here): '
  const askForIt = async (): Promise<string> => {
    const answer = await ask(question, { secret: true })
    const link = linkIn(answer)
    if (link?.kind !== 'invitation') return answer
    await joinWorkspace(call, link)
    await program.stderr.line('That was an invitation, which signs nobody in: the link is in the other message.')
    return askForIt()
  }
  return repeatedly(await askForIt(), tell, { attempt: accept, isMistake: isOfAnswer, askAgain: askForIt })
}

interface Attempts<T> {
  attempt: (answer: string) => Promise<T>
  isMistake: (error: unknown) => boolean
  askAgain: () => Promise<string>
}

async function repeatedly<T>(
  first: string,
  tell: (error: unknown) => Promise<void>,
  { attempt, isMistake, askAgain }: Attempts<T>,
): Promise<T> {
  let answer = first
  for (let left = maxAttempts - 1; ; left--)
    try {
      return await attempt(answer)
    } catch (error) {
      if (left === 0 || !isMistake(error)) throw error
      await tell(error)
      answer = await askAgain()
    }
}

/** A link that is cut off is told when it is tried. */
function linkIn(answer: string) {
  try {
    return parseMailedLink(answer)
  } catch {
    return undefined
  }
}

function isOfAnswer(error: unknown): boolean {
  if (error instanceof CarrelApiError) return error.status === 401
  return !(error instanceof CarrelConnectionError) && !(error instanceof Interrupted)
}

const maxAttempts = 3
