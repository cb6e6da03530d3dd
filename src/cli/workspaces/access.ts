import type { Carrel, Workspace, WorkspaceList } from '../../../sdk/index.ts'
import { saveConfigFile } from '../config-file.ts'
import { clientOf } from '../open-client.ts'
import type { Program } from '../program.ts'
import { readSettings, type Token } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Values } from '../verb.ts'

/**
 * The workspaces that a user's token can access. The token names the selected one after a `~`. Requests here use the
 * token without it, so that a user who is no longer a member of the selected workspace is not locked out of the others.
 */
export class WorkspaceAccess {
  readonly client: Carrel
  readonly list: WorkspaceList
  readonly #program: Program
  readonly #token: Token | undefined
  readonly #open: (token: string) => Carrel

  static async open(program: Program, values: Values): Promise<WorkspaceAccess> {
    const { url, token } = await readSettings(program, values)
    const open = (value: string) => clientOf(program, values, { url, token: token && { ...token, value } })
    const client = open(alone(token))
    return new WorkspaceAccess(program, token, open, client, await client.workspaces.list())
  }

  private constructor(
    program: Program,
    token: Token | undefined,
    open: (token: string) => Carrel,
    client: Carrel,
    list: WorkspaceList,
  ) {
    this.#program = program
    this.#token = token
    this.#open = open
    this.client = client
    this.list = list
  }

  /** The id of the selected workspace, of which the user may no longer be a member. */
  get usedId(): string {
    return this.#token?.value.split('~')[1] || this.list.current
  }

  /** Returns a workspace by its id or name; by default the selected one. */
  find(wanted?: string): Workspace {
    const { workspaces } = this.list
    const byId = workspaces.find(({ workspace_id: id }) => id === (wanted ?? this.usedId))
    if (byId) return byId
    if (wanted === undefined) throw new UsageError(`${this.lost} ${this.#hint('use <name>')} selects another`)
    const named = workspaces.filter(({ name }) => name === wanted)
    if (named.length > 1)
      throw new UsageError(
        `Cannot tell which "${wanted}" is meant: ${named.length} workspaces have this name; use the id, ${named.map(({ workspace_id: id }) => id).join(' or ')}`,
      )
    if (named[0]) return named[0]
    throw new UsageError(`Cannot find the workspace "${wanted}": ${this.#hint()} lists yours`)
  }

  /** The message about a token that names a workspace which it cannot access. */
  get lost(): string {
    return `The token names the workspace "${this.usedId}", which is deleted or no longer has you as a member:`
  }

  /** Returns a client for a workspace. */
  clientIn({ workspace_id: id }: Workspace): Carrel {
    return this.#open(this.#tokenFor(id))
  }

  /** Selects a workspace for later commands. Only a saved token can be changed; any other belongs to its source. */
  async use({ workspace_id: id }: Workspace): Promise<void> {
    const { path, source } = this.#token ?? {}
    if (path === undefined)
      throw new UsageError(
        `Cannot select a workspace: the token is from ${source}, and "${this.#program.name} login" did not save it; append "~${id}" to the token instead`,
      )
    await saveConfigFile(path, { token: this.#tokenFor(id) })
  }

  /** Whether the token was saved by `login`. */
  get isSaved(): boolean {
    return this.#token?.path !== undefined
  }

  /** The workspace of the token without a `~`. */
  get own(): Workspace {
    return this.find(this.list.current)
  }

  #tokenFor(id: string): string {
    return id === this.list.current ? alone(this.#token) : `${alone(this.#token)}~${id}`
  }

  #hint(what?: string): string {
    return `"${[this.#program.name, 'workspaces', what].filter(Boolean).join(' ')}"`
  }
}

function alone(token: Token | undefined): string {
  return token?.value.split('~')[0] ?? ''
}
