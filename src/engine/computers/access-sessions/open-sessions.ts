interface OpenConnection {
  sessionId: string
  /** Undefined for a session that a token created. */
  shareId: string | undefined
  computerId: string
  end: (reason: string) => void
}

/** The open connections of access sessions on this server. */
export class OpenSessions {
  readonly #connections = new Set<OpenConnection>()

  /** Adds a connection. `end` must not throw. Returns a function to call when the connection is closed. */
  add(connection: OpenConnection): () => void {
    this.#connections.add(connection)
    return () => void this.#connections.delete(connection)
  }

  /** Ends the connections of one session, or those of all sessions of one share or of one computer. */
  end(which: { sessionId: string } | { shareId: string } | { computerId: string }, reason: string): void {
    const [field, id] = Object.entries(which)[0] as [keyof Omit<OpenConnection, 'end'>, string]
    for (const connection of [...this.#connections]) if (connection[field] === id) connection.end(reason)
  }
}
