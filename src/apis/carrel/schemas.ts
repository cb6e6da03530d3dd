import { Type, type Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import { roles } from '../../engine/identity/accounts/roles.ts'
import { patterns } from '../../http/patterns.ts'
import { nullableTime, object, time } from '../schema.ts'

const role = Type.Enum([...roles], {
  description: 'member: use computers and see; admin: also members, keys and limits; owner: also money',
})
const workspaceId = Type.String({
  description: 'The id of a workspace; "current" is the one of the token',
  maxLength: 100,
  examples: ['current'],
})
const userId = Type.String({
  description: 'The id of a member; "me" is who asks',
  maxLength: 100,
  examples: ['me'],
})
const email = Type.String({
  description: 'Whom to invite',
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

/** Names are shown in messages to people who did not ask for them: no address can be written in one. */
export const workspaceBody = object({
  name: Type.String({
    description: `What people call it: letters, digits, spaces and . , ' & ( ) _ -`,
    pattern: patterns.workspaceName.source,
    maxLength: limits.workspaceNameLength,
  }),
})
export const workspaceAnswer = object({
  workspace_id: Type.String(),
  name: Type.String(),
  role,
  personal: Type.Boolean({ description: 'True for your own, which has no other members' }),
  members: Type.Integer({ description: 'How many people are in it' }),
  created_at: time(),
  delete_at: Type.Optional(time('When it and all it has goes, where somebody asked for that')),
})
export const workspacesAnswer = object({
  current: Type.String({ description: 'The id of the one that the token is for' }),
  workspaces: Type.Array(workspaceAnswer),
})

export const workspaceDeletionAnswer = object({
  delete_at: nullableTime('When everything goes; null when it stays'),
  message: Type.String(),
})

export const memberAnswer = object({
  user_id: Type.String(),
  name: Type.String(),
  email: Type.String({ description: 'Empty when none is known' }),
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
  workspace_id: Type.String({ description: 'A token of the person works in it with ~ and this at its end' }),
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
  how: Type.String({ description: 'By what it came about, such as "email"' }),
  created_at: time(),
  last_used_at: nullableTime(),
  expires_at: nullableTime(),
  current: Type.Boolean({ description: 'True for the one that asks' }),
})
export type SessionAnswer = Static<typeof session>

export const sessionsAnswer = object({ sessions: Type.Array(session) })
export const sessionParams = object({
  sessionId: Type.String({
    description: 'The id of a session; "current" is the one that asks',
    minLength: 1,
    maxLength: 64,
    examples: ['current'],
  }),
})
export const endSessionAnswer = object({ message: Type.String(), session_id: Type.String() })
export const endSessionsAnswer = object({
  message: Type.String(),
  ended: Type.Integer({ description: 'How many there were' }),
})
