import type { AccessibleComputer } from '../../../engine/computers/access/open-computer.ts'
import type { Engine } from '../../../engine/engine.ts'

/** What the addresses of an access session are made from. */
export interface SessionPlace {
  engine: Engine
  /** The origin at which the client reaches the server. */
  origin: string
  computer: AccessibleComputer<'run'>
  /** The token of the session, known only when the session is created. */
  token: string | undefined
}

/** How a session is used: what is shown of it beyond what every session has. */
export interface SessionEntry {
  access_url: string
  connect_url: string
  transport?: { protocol: string; auth: string; service?: string; base_path?: string; capabilities?: string[] }
  vnc_host?: string
  vnc_port?: number
  vnc_user?: string
  ssh_user?: string
  ssh_host?: string
  ssh_port?: number
  command?: string
}

/** A kind of access session, as the surface shows it. */
export interface SessionKind {
  /** Throws `conflict` where the computer lacks the program that such sessions are with. */
  requireProgram?(engine: Engine, computer: AccessibleComputer<'run'>): Promise<void>
  entryOf(place: SessionPlace): SessionEntry | Promise<SessionEntry>
}
