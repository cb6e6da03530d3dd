import type { Invitation } from '../../engine/identity/workspaces/invitations.ts'
import type { Member } from '../../engine/identity/workspaces/members.ts'
import type { Workspace } from '../../engine/identity/workspaces/workspaces.ts'
import type { InvitationAnswer, MemberAnswer, WorkspaceAnswer } from './workspace-schemas.ts'

export function workspaceOut({ deleteAtMs, ...workspace }: Workspace): WorkspaceAnswer {
  const { id, name, role, isPersonal, members, createdAtMs } = workspace
  return {
    workspace_id: id,
    name,
    role,
    personal: isPersonal,
    members,
    created_at: iso(createdAtMs),
    ...(deleteAtMs === null ? {} : { delete_at: iso(deleteAtMs) }),
  }
}

export function memberOut({ userId, name, email, role, joinedAtMs }: Member): MemberAnswer {
  return { user_id: userId, name, email: email ?? '', role, joined_at: iso(joinedAtMs) }
}

export function invitationOut({ id, email, role, createdAtMs, expiresAtMs }: Invitation): InvitationAnswer {
  return { invitation_id: id, email, role, created_at: iso(createdAtMs), expires_at: iso(expiresAtMs) }
}

/** UTC, ISO 8601. */
export function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
