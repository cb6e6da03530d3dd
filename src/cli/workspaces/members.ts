import type { Invitation, Member, Role } from '../../../sdk/index.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import { UsageError } from '../usage-error.ts'
import type { Call } from '../verb.ts'
import type { WorkspaceAccess } from './access.ts'

/** Lists the members and invitations of a workspace. */
export async function listMembers({ program, values }: Call, access: WorkspaceAccess): Promise<void> {
  const { workspace_id: id } = workspaceOf(values, access)
  const [members, invitations] = await Promise.all([
    access.client.workspaces.members(id),
    access.client.workspaces.invitations(id),
  ])
  if (values.json) return program.stdout.line(JSON.stringify({ members, invitations }))
  const rows = [...members.map(memberRow), ...invitations.map(invitationRow)]
  await program.stdout.write(table(columns, rows, program.stdout.width))
}

const columns = [
  { title: 'EMAIL', shrinksTo: 16 },
  { title: 'NAME', shrinksTo: 8, dropOrder: 1 },
  { title: 'ROLE' },
  { title: 'SINCE', dropOrder: 2 },
]

function memberRow({ email, user_id: id, name, role, joined_at: at }: Member): string[] {
  return [email || id, name || '-', role, shortTime(at)]
}

function invitationRow({ email, role, expires_at: end }: Invitation): string[] {
  return [email, '-', `${role}, invited`, `until ${shortTime(end)}`]
}

export async function invite(
  { program, values, operands: [, email = ''] }: Call,
  access: WorkspaceAccess,
): Promise<void> {
  const { workspace_id: id, name } = workspaceOf(values, access)
  const invitation = await access.client.workspaces.invite(id, email, checkedRole(values['role'] as string | undefined))
  await program.stdout.line(
    values.json
      ? JSON.stringify(invitation)
      : `Invited ${printable(invitation.email)} into ${printable(name)} as ${invitation.role}.\nA link was sent; it works once, within 7 days.`,
  )
}

/** Removes a member, or revokes an invitation. */
export async function remove(
  { program, values, operands: [, who = ''] }: Call,
  access: WorkspaceAccess,
): Promise<void> {
  const { workspace_id: id, name } = workspaceOf(values, access)
  const { workspaces } = access.client
  const member = memberCalled(who, await workspaces.members(id))
  const invitation = member ? undefined : (await workspaces.invitations(id)).find(({ email }) => isSame(email, who))
  if (member) await workspaces.remove(id, member.user_id)
  else if (invitation) await workspaces.revokeInvitation(id, invitation.invitation_id)
  else throw missing(program.name, who, name)
  const answer = member ? { removed_user_id: member.user_id } : { revoked_invitation_id: invitation!.invitation_id }
  const text = member
    ? `Removed ${printable(who)} from ${printable(name)}, with the API keys that this user made there`
    : `Revoked the invitation of ${printable(who)} into ${printable(name)}`
  await program.stdout.line(values.json ? JSON.stringify(answer) : text)
}

export async function setRole(call: Call, access: WorkspaceAccess): Promise<void> {
  const { program, values, operands } = call
  const [, who = '', wanted] = operands
  const role = checkedRole(wanted)!
  const { workspace_id: id, name } = workspaceOf(values, access)
  const member = memberCalled(who, await access.client.workspaces.members(id))
  if (!member) throw missing(program.name, who, name)
  const changed = await access.client.workspaces.setRole(id, member.user_id, role)
  await program.stdout.line(
    values.json ? JSON.stringify(changed) : `${printable(who)} is now ${changed.role} of ${printable(name)}`,
  )
}

/** Returns the workspace that `--workspace` names, else the selected one. */
export function workspaceOf(values: Call['values'], access: WorkspaceAccess) {
  return access.find(values['workspace'] as string | undefined)
}

/** Finds a member by address or id. Names do not count, as several users can have the same. */
function memberCalled(who: string, members: Member[]): Member | undefined {
  return members.find(({ user_id: id, email }) => id === who || (email !== '' && isSame(email, who)))
}

function isSame(email: string, other: string): boolean {
  return email.toLowerCase() === other.toLowerCase()
}

function missing(program: string, who: string, workspace: string): UsageError {
  return new UsageError(
    `Cannot find "${who}" in ${workspace}: use the address or id that "${program} workspaces members" shows`,
  )
}

function checkedRole(role: string | undefined): Role | undefined {
  if (role === undefined) return undefined
  const known = roles.find((each) => each === role)
  if (known) return known
  throw new UsageError(`Cannot use "${role}" as a role: it has to be one of ${roles.join(', ')}`)
}

const roles: Role[] = ['member', 'admin', 'owner']
