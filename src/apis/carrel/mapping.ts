import type { Invitation } from '../../engine/identity/workspaces/invitations.ts'
import type { Member } from '../../engine/identity/workspaces/members.ts'
import type { Workspace } from '../../engine/identity/workspaces/workspaces.ts'
import type { Session } from '../../engine/identity/accounts/sessions.ts'
import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { InvitationAnswer, MemberAnswer, SessionAnswer, WorkspaceAnswer } from './schemas.ts'

export function workspaceAnswerOf({ deleteAtMs, ...workspace }: Workspace): WorkspaceAnswer {
  const { id, name, role, isPersonal, members, createdAtMs } = workspace
  return {
    workspace_id: id,
    name,
    role,
    personal: isPersonal,
    members,
    created_at: isoTime(createdAtMs),
    ...(deleteAtMs === null ? {} : { delete_at: isoTime(deleteAtMs) }),
  }
}

export function memberAnswerOf({ userId, name, email, role, joinedAtMs }: Member): MemberAnswer {
  return { user_id: userId, name, email: email ?? '', role, joined_at: isoTime(joinedAtMs) }
}

export function invitationAnswerOf({ id, email, role, createdAtMs, expiresAtMs }: Invitation): InvitationAnswer {
  return { invitation_id: id, email, role, created_at: isoTime(createdAtMs), expires_at: isoTime(expiresAtMs) }
}

export function sessionAnswerOf({
  id,
  how,
  createdAtMs,
  lastUsedAtMs,
  expiresAtMs,
  isCurrent,
}: Session): SessionAnswer {
  return {
    session_id: id,
    how,
    created_at: isoTime(createdAtMs),
    last_used_at: isoTimeOrNull(lastUsedAtMs),
    expires_at: isoTimeOrNull(expiresAtMs),
    current: isCurrent,
  }
}
