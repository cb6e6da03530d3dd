import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import { readSettings } from '../settings.ts'
import type { Call } from '../verb.ts'
import { answerTo, type MailedLink } from './mailed-link.ts'

export interface Joined {
  workspaceId: string
  /** Whom the invitation was for. */
  email: string
  /** Whose token is here already. */
  signedIn: 'they' | 'somebody else' | 'nobody'
  /** Where that is from; undefined without one. */
  tokenSource: string | undefined
}

/**
 * Accepts an invitation and tells what came of it. It makes the person of its address a member, whoever brings it, and signs nobody in:
 * the token that is here stays what it is.
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
  const told = { workspace_id: workspaceId, name: workspace, role, email, signed_in: signedIn === 'they' }
  await program.stdout.line(
    values.json
      ? JSON.stringify({ joined: told })
      : `${printable(email)} joined the workspace ${printable(workspace)} as ${role}${by}.`,
  )
  return { workspaceId, email, signedIn, tokenSource: settings.token?.source }
}

function whoIs(id: string | undefined, userId: string): Joined['signedIn'] {
  if (id === undefined) return 'nobody'
  return id === userId ? 'they' : 'somebody else'
}

/** undefined where the token is refused. */
async function idOf(client: Carrel): Promise<string | undefined> {
  try {
    return (await client.me()).id
  } catch (error) {
    if (error instanceof CarrelApiError && error.status === 401) return undefined
    throw error
  }
}
