import { Type, type Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import { roles } from '../../engine/identity/accounts/roles.ts'
import { patterns } from '../../http/patterns.ts'
import { nullableTime, object, time } from '../schema.ts'

const role = Type.Enum([...roles], {
  description:
    'member: use computers and view the workspace; admin: also manage members, keys and limits; owner: also manage money',
})
const workspaceId = Type.String({
  description: 'The id of a workspace; "current" is the workspace of the token',
  maxLength: 100,
  examples: ['current'],
})
const userId = Type.String({
  description: 'The id of a member; "me" is the user of the token',
  maxLength: 100,
  examples: ['me'],
})
const email = Type.String({
  description: 'The email address of the user to invite',
  format: 'email',
  maxLength: 254,
})

export const workspaceParams = object({ workspaceId })
export const memberParams = object({ workspaceId, userId })
export const invitationParams = object({
  workspaceId,
  invitationId: Type.String({
    description: 'The id of an invitation',
    maxLength: 100,
    examples: ['inv1tat10n000000000'],
  }),
})

/** Workspace names appear in unsolicited mail: they cannot contain addresses. */
export const workspaceBody = object({
  name: Type.String({
    description: `The display name: letters, digits, spaces and . , ' & ( ) _ -`,
    pattern: patterns.workspaceName.source,
    maxLength: limits.workspaceNameLength,
  }),
})
export const workspaceAnswer = object({
  workspace_id: Type.String(),
  name: Type.String(),
  role,
  personal: Type.Boolean({ description: 'True for your personal workspace, which has no other members' }),
  members: Type.Integer({ description: 'The number of members' }),
  created_at: time(),
  delete_at: Type.Optional(time('When the workspace will be deleted; only if a deletion is scheduled')),
})
export const workspacesAnswer = object({
  current: Type.String({ description: 'The id of the workspace of the token' }),
  workspaces: Type.Array(workspaceAnswer),
})

export const workspaceDeletionAnswer = object({
  delete_at: nullableTime('When the workspace will be deleted; null if no deletion is scheduled'),
  message: Type.String(),
})

export const memberAnswer = object({
  user_id: Type.String(),
  name: Type.String(),
  email: Type.String({ description: 'Empty if unknown' }),
  role,
  joined_at: time(),
})
export const membersAnswer = object({ members: Type.Array(memberAnswer) })
export const roleBody = object({ role })
export const removedAnswer = object({ message: Type.String(), user_id: Type.String() })

export const inviteBody = object({ email, role: Type.Optional(role) })
export const invitationAnswer = object({
  invitation_id: Type.String(),
  email: Type.String(),
  role,
  created_at: time(),
  expires_at: time(),
})
export const invitationsAnswer = object({ invitations: Type.Array(invitationAnswer) })
export const revokedAnswer = object({ message: Type.String(), invitation_id: Type.String() })

const code = Type.String({ description: 'The code of the link', minLength: 1, maxLength: 200 })
export const acceptBody = object({ token: code })
export const acceptAnswer = object({
  user_id: Type.String(),
  workspace_id: Type.String({
    description: 'A token of the user works in the workspace with ~ and this id at its end',
  }),
  role,
})
export const readInvitationAnswer = object({
  email: Type.String(),
  role,
  workspace: Type.String(),
  inviter: Type.String(),
})

export type WorkspaceAnswer = Static<typeof workspaceAnswer>
export type MemberAnswer = Static<typeof memberAnswer>
export type InvitationAnswer = Static<typeof invitationAnswer>

const session = object({
  session_id: Type.String(),
  how: Type.String({ description: 'The sign-in method, such as "email"' }),
  created_at: time(),
  last_used_at: nullableTime(),
  expires_at: nullableTime(),
  current: Type.Boolean({ description: 'True for the session of this request' }),
})
export type SessionAnswer = Static<typeof session>

export const sessionsAnswer = object({ sessions: Type.Array(session) })
export const sessionParams = object({
  sessionId: Type.String({
    description: 'The id of a session; "current" is the session of this request',
    minLength: 1,
    maxLength: 64,
    examples: ['current'],
  }),
})
export const endSessionAnswer = object({ message: Type.String(), session_id: Type.String() })
export const endSessionsAnswer = object({
  message: Type.String(),
  ended: Type.Integer({ description: 'The number of sessions that were ended' }),
})
