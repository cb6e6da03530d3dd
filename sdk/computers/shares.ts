import { callFields } from '../context.ts'
import type { Context, RequestOptions } from '../context.ts'
import { get, pathOf, remove } from './requests.ts'

/** A link that opens a computer for everybody who has it. */
export interface Share {
  id: string
  computer_id: string
  kind: 'link'
  allow_browser: boolean
  allow_vnc: boolean
  /** Null once the server has lost the key that encrypts links; the link works still. */
  share_url: string | null
  /** Null for a link that works until it is deleted. */
  expires_at: string | null
  /** How many sessions the link has opened. */
  uses: number
  last_used_at: string | null
  revoked_at: string | null
  created_at: string
}

export interface NewShareOptions extends RequestOptions {
  /** Whether the link opens the computer's page, with terminal, files and desktop; default: unless `allowVnc`. */
  allowBrowser?: boolean | undefined
  /** Whether the link opens the desktop alone; without `allowBrowser`, for looking only. */
  allowVnc?: boolean | undefined
  /** Default: never. */
  expiresAt?: Date | undefined
}

/** The shares of computers. */
export class Shares {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  async list(computer: string, options: RequestOptions = {}): Promise<Share[]> {
    return (await get<{ shares: Share[] }>(this.#context, sharesPath(computer), options)).shares
  }

  async create(
    computer: string,
    { allowBrowser, allowVnc, expiresAt, ...options }: NewShareOptions = {},
  ): Promise<Share> {
    const answer = await this.#context.transport.json<{ share: Share }>({
      method: 'POST',
      path: `${sharesPath(computer)}/links`,
      json: { allow_browser: allowBrowser, allow_vnc: allowVnc, expires_at: expiresAt?.toISOString() },
      retry: 'refused',
      ...callFields(options),
    })
    return answer.share
  }

  /** Deletes a share, and ends what is open by it. */
  delete(computer: string, shareId: string, options: RequestOptions = {}): Promise<void> {
    return remove(this.#context, `${sharesPath(computer)}/links/${encodeURIComponent(shareId)}`, options)
  }
}

function sharesPath(computer: string): string {
  return `${pathOf(computer)}/shares`
}
