import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import type { TransportRequest } from './transport.ts'

/**
 * The role of a user in a workspace: `member`, `admin` or `owner`. Each has the rights of the previous one and more.
 */
export type Role = 'member' | 'admin' | 'owner'

export interface Workspace {
  workspace_id: string
  name: string
  /** The role of the caller. */
  role: Role
  /** True for the user's own workspace, which has no other members. */
  personal: boolean
  /** Number of members. */
  members: number
  created_at: string
  /** When the workspace and all its data are deleted, if that is scheduled. */
  delete_at?: string
}

export interface WorkspaceList {
  /** The id of the token's workspace. */
  current: string
  workspaces: Workspace[]
}

export interface Member {
  user_id: string
  name: string
  /** Empty if unknown. */
  email: string
  role: Role
  joined_at: string
}

/** An open invitation. */
export interface Invitation {
  invitation_id: string
  email: string
  role: Role
  created_at: string
  expires_at: string
}

export interface WorkspaceDeletion {
  /** When the workspace is deleted; null if it is not. */
  delete_at: string | null
  message: string
}

/** An invitation as the holder of its link sees it. */
export interface InvitationOffer {
  email: string
  role: Role
  /** Name of the workspace. */
  workspace: string
  /** Empty if unknown. */
  inviter: string
}

/**
 * Workspaces with several members. `id` is the id of a workspace that the token can access, or `current`. To work in a
 * workspace, append its id to the token: `<token>~<id>`.
 */
export class Workspaces {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns the workspaces that the token can access, the user's own first. */
  list(options: RequestOptions = {}): Promise<WorkspaceList> {
    return this.#request('GET', '', options)
  }

  /** Creates a workspace without credit, owned by the caller. Requires the token of a user. */
  create(name: string, options: RequestOptions = {}): Promise<Workspace> {
    return this.#request('POST', '', options, { name })
  }

  /**
   * Schedules a workspace and all its data for deletion in 30 days; until then `cancelDeletion` keeps it. Requires an
   * owner.
   */
  delete(id: string, options: RequestOptions = {}): Promise<WorkspaceDeletion> {
    return this.#request('DELETE', `/${encodeURIComponent(id)}`, options)
  }

  cancelDeletion(id: string, options: RequestOptions = {}): Promise<WorkspaceDeletion> {
    return this.#request('POST', `/${encodeURIComponent(id)}/cancel-deletion`, options, {})
  }

  async members(id: string, options: RequestOptions = {}): Promise<Member[]> {
    const path = `/${encodeURIComponent(id)}/members`
    return (await this.#request<{ members: Member[] }>('GET', path, options)).members
  }

  /** Changes the role of a member. Requires an admin; granting or revoking the role `owner` requires an owner. */
  setRole(id: string, userId: string, role: Role, options: RequestOptions = {}): Promise<Member> {
    return this.#request('PATCH', `/${encodeURIComponent(id)}/members/${encodeURIComponent(userId)}`, options, { role })
  }

  /**
   * Removes a member; `userId` is `me` to leave. Removing others requires an admin, removing an owner requires an
   * owner.
   */
  async remove(id: string, userId: string, options: RequestOptions = {}): Promise<void> {
    await this.#request('DELETE', `/${encodeURIComponent(id)}/members/${encodeURIComponent(userId)}`, options)
  }

  /** Invites a user by mail. Requires an admin. */
  invite(id: string, email: string, role: Role = 'member', options: RequestOptions = {}): Promise<Invitation> {
    return this.#request('POST', `/${encodeURIComponent(id)}/invitations`, options, { email, role })
  }

  /** Returns the open invitations. */
  async invitations(id: string, options: RequestOptions = {}): Promise<Invitation[]> {
    const path = `/${encodeURIComponent(id)}/invitations`
    return (await this.#request<{ invitations: Invitation[] }>('GET', path, options)).invitations
  }

  async revokeInvitation(id: string, invitationId: string, options: RequestOptions = {}): Promise<void> {
    const path = `/${encodeURIComponent(id)}/invitations/${encodeURIComponent(invitationId)}`
    await this.#request('DELETE', path, options)
  }

  /** Returns an invitation by the code of its link; needs no token. */
  readInvitation(code: string, options: RequestOptions = {}): Promise<InvitationOffer> {
    const query = { token: code }
    const request = { method: 'GET' as const, path: '/invitation', query, retry: 'repeatable' as const }
    return this.#context.transport.json({ ...request, ...callFields(options) })
  }

  /** Accepts an invitation: the user of its address becomes a member. Signs nobody in; needs no token. */
  acceptInvitation(
    code: string,
    options: RequestOptions = {},
  ): Promise<{ user_id: string; workspace_id: string; role: Role }> {
    const json = { token: code }
    const request = { method: 'POST' as const, path: '/invitation', json, retry: 'refused' as const }
    return this.#context.transport.json({ ...request, ...callFields(options) })
  }

  #request<T>(
    method: TransportRequest['method'],
    path: string,
    options: RequestOptions,
    json?: Record<string, unknown>,
  ): Promise<T> {
    const retry = method === 'GET' || method === 'PATCH' ? ('repeatable' as const) : ('refused' as const)
    return this.#context.transport.json({ method, path: root + path, json, retry, ...callFields(options) })
  }
}

const root = '/v1/workspaces'
