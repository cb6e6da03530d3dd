import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import { readSettings } from '../settings.ts'
import type { Call } from '../verb.ts'
import { answerTo, type MailedLink } from './mailed-link.ts'

export interface Joined {
  workspaceId: string
  /** The address that the invitation was for. */
  email: string
  /** Whose token is in use already. */
  signedIn: 'invited user' | 'another user' | 'nobody'
  /** Where the token comes from; undefined without a token. */
  tokenSource: string | undefined
}

/**
 * Accepts an invitation and reports the result. The user of its address becomes a member, whoever presents the
 * invitation. Nobody is signed in: the current token stays as it is.
 */
export async function joinWorkspace(call: Call, link: MailedLink): Promise<Joined> {
  const { program, values } = call
  const settings = await readSettings(program, values)
  const { workspaces } = clientOf(program, values, { url: settings.url, token: undefined })
  const offer = await answerTo(link, settings.url, () => workspaces.readInvitation(link.code))
  const accepted = await answerTo(link, settings.url, () => workspaces.acceptInvitation(link.code))
  const { workspace_id: workspaceId, user_id: userId, role } = accepted
  const { email, workspace } = offer
  const [token] = settings.token?.value.split('~') ?? []
  const own = clientOf(program, values, { ...settings, token: settings.token && { ...settings.token, value: token! } })
  const signedIn = token === undefined ? 'nobody' : whoIs(await idOf(own), userId)
  const by = offer.inviter === '' ? '' : `, invited by ${printable(offer.inviter)}`
  const joined = { workspace_id: workspaceId, name: workspace, role, email, signed_in: signedIn === 'invited user' }
  await program.stdout.line(
    values.json
      ? JSON.stringify({ joined })
      : `${printable(email)} joined the workspace ${printable(workspace)} as ${role}${by}.`,
  )
  return { workspaceId, email, signedIn, tokenSource: settings.token?.source }
}

function whoIs(id: string | undefined, userId: string): Joined['signedIn'] {
  if (id === undefined) return 'nobody'
  return id === userId ? 'invited user' : 'another user'
}

/** Returns the user's id; undefined if the token is refused. */
async function idOf(client: Carrel): Promise<string | undefined> {
  try {
    return (await client.me()).id
  } catch (error) {
    if (error instanceof CarrelApiError && error.status === 401) return undefined
    throw error
  }
}
