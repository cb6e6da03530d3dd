import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import type { TransportRequest } from './transport.ts'

/** What somebody may do in a workspace: `member`, `admin` or `owner`, each what the one before it may and more. */
export type Role = 'member' | 'admin' | 'owner'

export interface Workspace {
  workspace_id: string
  name: string
  /** Of who asks. */
  role: Role
  /** True for one's own, which has no other members. */
  personal: boolean
  /** How many people are in it. */
  members: number
  created_at: string
  /** When it and all it has goes, where somebody asked for that. */
  delete_at?: string
}

export interface WorkspaceList {
  /** The id of the one that the token is for. */
  current: string
  workspaces: Workspace[]
}

export interface Member {
  user_id: string
  name: string
  /** Empty when none is known. */
  email: string
  role: Role
  joined_at: string
}

/** One that is not answered yet. */
export interface Invitation {
  invitation_id: string
  email: string
  role: Role
  created_at: string
  expires_at: string
}

export interface WorkspaceDeletion {
  /** When everything goes; null when the workspace stays. */
  delete_at: string | null
  message: string
}

/** What an invitation says to whoever has its link. */
export interface InvitationOffer {
  email: string
  role: Role
  /** Its name. */
  workspace: string
  /** Empty when nobody knows. */
  inviter: string
}

/**
 * Workspaces of several people. `id` is that of one that the token opens, or `current`. To work in one, put its id behind the token:
 * `<token>~<id>`.
 */
export class Workspaces {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Those that the token opens, the own one first. */
  list(options: RequestOptions = {}): Promise<WorkspaceList> {
    return this.#ask('GET', '', options)
  }

  /** With who makes it as its owner, and no credit. It takes the token of a person. */
  create(name: string, options: RequestOptions = {}): Promise<Workspace> {
    return this.#ask('POST', '', options, { name })
  }

  /** Lets it and all it has go in 30 days; until then `cancelDeletion` keeps it. It takes an owner. */
  delete(id: string, options: RequestOptions = {}): Promise<WorkspaceDeletion> {
    return this.#ask('DELETE', `/${encodeURIComponent(id)}`, options)
  }

  cancelDeletion(id: string, options: RequestOptions = {}): Promise<WorkspaceDeletion> {
    return this.#ask('POST', `/${encodeURIComponent(id)}/cancel-deletion`, options, {})
  }

  async members(id: string, options: RequestOptions = {}): Promise<Member[]> {
    const path = `/${encodeURIComponent(id)}/members`
    return (await this.#ask<{ members: Member[] }>('GET', path, options)).members
  }

  /** It takes an admin, and an owner where owners are made or unmade. */
  setRole(id: string, userId: string, role: Role, options: RequestOptions = {}): Promise<Member> {
    return this.#ask('PATCH', `/${encodeURIComponent(id)}/members/${encodeURIComponent(userId)}`, options, { role })
  }

  /** `userId` is `me` to leave; else it takes an admin, for an owner an owner. */
  async remove(id: string, userId: string, options: RequestOptions = {}): Promise<void> {
    await this.#ask('DELETE', `/${encodeURIComponent(id)}/members/${encodeURIComponent(userId)}`, options)
  }

  /** Sends a link by mail. It takes an admin. */
  invite(id: string, email: string, role: Role = 'member', options: RequestOptions = {}): Promise<Invitation> {
    return this.#ask('POST', `/${encodeURIComponent(id)}/invitations`, options, { email, role })
  }

  /** Those that are not answered yet. */
  async invitations(id: string, options: RequestOptions = {}): Promise<Invitation[]> {
    const path = `/${encodeURIComponent(id)}/invitations`
    return (await this.#ask<{ invitations: Invitation[] }>('GET', path, options)).invitations
  }

  async revokeInvitation(id: string, invitationId: string, options: RequestOptions = {}): Promise<void> {
    const path = `/${encodeURIComponent(id)}/invitations/${encodeURIComponent(invitationId)}`
    await this.#ask('DELETE', path, options)
  }

  /** Whom an invitation is for, by the code of its link; needs no token. */
  readInvitation(code: string, options: RequestOptions = {}): Promise<InvitationOffer> {
    const query = { token: code }
    const request = { method: 'GET' as const, path: '/invitation', query, retry: 'repeatable' as const }
    return this.#context.transport.json({ ...request, ...callFields(options) })
  }

  /** Makes the person of its address a member, and signs nobody in; needs no token. */
  acceptInvitation(
    code: string,
    options: RequestOptions = {},
  ): Promise<{ user_id: string; workspace_id: string; role: Role }> {
    const json = { token: code }
    const request = { method: 'POST' as const, path: '/invitation', json, retry: 'refused' as const }
    return this.#context.transport.json({ ...request, ...callFields(options) })
  }

  #ask<T>(
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
