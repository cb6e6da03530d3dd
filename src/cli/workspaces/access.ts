import type { Carrel, Workspace, WorkspaceList } from '../../../sdk/index.ts'
import { saveConfigFile } from '../config-file.ts'
import { clientOf } from '../open-client.ts'
import type { Program } from '../program.ts'
import { readSettings, type Token } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Values } from '../verb.ts'

/**
 * A person's workspaces, as their token opens them. It names the one in use behind a `~`; all that is asked here is asked by the token
 * alone, so that one who is in that workspace no longer is not locked out of the others.
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

  /** The id of the one in use, of which they may be no member any more. */
  get usedId(): string {
    return this.#token?.value.split('~')[1] || this.list.current
  }

  /** By its id or its name; without either the one in use. */
  find(wanted?: string): Workspace {
    const { workspaces } = this.list
    const byId = workspaces.find(({ workspace_id: id }) => id === (wanted ?? this.usedId))
    if (byId) return byId
    if (wanted === undefined) throw new UsageError(`${this.lost} ${this.#hint('use <name>')} chooses another one`)
    const named = workspaces.filter(({ name }) => name === wanted)
    if (named.length > 1)
      throw new UsageError(
        `Cannot tell which "${wanted}" is meant: ${named.length} are called so; name it by its id, ${named.map(({ workspace_id: id }) => id).join(' or ')}`,
      )
    if (named[0]) return named[0]
    throw new UsageError(`Cannot find the workspace "${wanted}": ${this.#hint()} lists yours`)
  }

  /** What to say of a token that names a workspace which it does not open. */
  get lost(): string {
    return `The token names the workspace "${this.usedId}", which is gone or has you no longer:`
  }

  /** A client that works in it. */
  clientIn({ workspace_id: id }: Workspace): Carrel {
    return this.#open(this.#tokenFor(id))
  }

  /** Later commands work in it. Only for a token that was saved: others are kept by whoever gave them. */
  async use({ workspace_id: id }: Workspace): Promise<void> {
    const { path, source } = this.#token ?? {}
    if (path === undefined)
      throw new UsageError(
        `Cannot choose a workspace: the token is from ${source}, and not one that "${this.#program.name} login" saved; write "~${id}" behind it to work there`,
      )
    await saveConfigFile(path, { token: this.#tokenFor(id) })
  }

  get isSaved(): boolean {
    return this.#token?.path !== undefined
  }

  /** The one that the token alone is for. */
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
