import type { SshCertificateRow } from '../../../db/schema.ts'

/** How the user of a connection has proved that it may connect, as the computer's server reports it. */
/** `isRegistered`: the account has registered the key; it is otherwise one that the computer itself knows. */
export type Proof =
  | { kind: 'certificate'; certificate: SshCertificateRow }
  | { kind: 'key'; fingerprint: string; isRegistered: boolean }

/** A connection to the SSH server of a computer. */
export interface SshConnection {
  readonly computerId: string
  readonly accountId: string
  /** undefined until the user has proved anything. */
  proof: Proof | undefined
  /** Ends the connection; can be called more than once, and must not throw. */
  readonly end: (reason: string) => void
}

/** The connections to computers that are open on this server. */
export class SshConnections {
  readonly #open = new Set<SshConnection>()

  get all(): readonly SshConnection[] {
    return [...this.#open]
  }

  /** Returns the connections of a computer. */
  of(computerId: string): SshConnection[] {
    return [...this.#open].filter((connection) => connection.computerId === computerId)
  }

  /** Returns a function to call when the connection is closed. */
  add(connection: SshConnection): () => void {
    this.#open.add(connection)
    return () => void this.#open.delete(connection)
  }

  /** Ends the connections of a computer, such as when it changes hands. */
  endOf(computerId: string, reason: string): void {
    for (const connection of this.of(computerId)) connection.end(reason)
  }
}
