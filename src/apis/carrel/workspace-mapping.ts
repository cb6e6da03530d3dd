import type { Invitation } from '../../engine/workspaces/invitations.ts'
import type { Member } from '../../engine/workspaces/members.ts'
import type { Workspace } from '../../engine/workspaces/workspaces.ts'
import type { InvitationAnswer, MemberAnswer, WorkspaceAnswer } from './workspace-schemas.ts'

export function workspaceOut({ id, name, role, isPersonal, createdAtMs }: Workspace): WorkspaceAnswer {
  return { workspace_id: id, name, role, personal: isPersonal, created_at: iso(createdAtMs) }
}

export function memberOut({ userId, name, email, role, joinedAtMs }: Member): MemberAnswer {
  return { user_id: userId, name, email, role, joined_at: iso(joinedAtMs) }
}

export function invitationOut({ id, email, role, createdAtMs, expiresAtMs }: Invitation): InvitationAnswer {
  return { invitation_id: id, email, role, created_at: iso(createdAtMs), expires_at: iso(expiresAtMs) }
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
