import { callFields } from '../context.ts'
import type { Context, RequestOptions } from '../context.ts'
import { get, pathOf } from './requests.ts'

export type Visibility = 'public' | 'private'

/** A port of a computer with a public address that stays the same. */
export interface PublishedPort {
  id: string
  computer_id: string
  port: number
  /** Empty for a port without a name. */
  name: string
  /** `private`: only for members of the workspace, and for browser sessions of the computer. */
  visibility: Visibility
  state: 'pending' | 'ready' | 'failed' | 'deleting'
  public_url: string
  failure_reason: string | null
  created_at: string
  updated_at: string
}

export interface PublishOptions extends RequestOptions {
  /** The name for people. What is left out stays as it was. */
  name?: string | undefined
  /** Default: `public` for a port that is not published yet. */
  visibility?: Visibility | undefined
}

/** The published ports of computers. */
export class ComputerPorts {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  async list(computer: string, options: RequestOptions = {}): Promise<PublishedPort[]> {
    return (await get<{ ports: PublishedPort[] }>(this.#context, portsPath(computer), options)).ports
  }

  /** Publishes a port, or changes a published one. A change of visibility holds at once, also for open connections. */
  async publish(
    computer: string,
    port: number,
    { name, visibility, ...options }: PublishOptions = {},
  ): Promise<PublishedPort> {
    const answer = await this.#context.transport.json<{ port: PublishedPort }>({
      method: 'POST',
      path: portsPath(computer),
      json: { port, name, visibility },
      retry: 'repeatable',
      ...callFields(options),
    })
    return answer.port
  }

  /** Withdraws a published port. Published again, it has the same address. */
  async withdraw(computer: string, port: number, options: RequestOptions = {}): Promise<PublishedPort> {
    const path = `${portsPath(computer)}/${port}`
    const answer = await this.#context.transport.json<{ port: PublishedPort }>({
      method: 'DELETE',
      path,
      retry: 'refused',
      ...callFields(options),
    })
    return answer.port
  }
}

function portsPath(computer: string): string {
  return `${pathOf(computer)}/ports`
}
