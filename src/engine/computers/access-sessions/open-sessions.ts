interface OpenConnection {
  sessionId: string
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

  /** Ends the connections of one session, or those of all sessions of one computer. */
  end(which: { sessionId: string } | { computerId: string }, reason: string): void {
    for (const connection of [...this.#connections]) {
      const isMeant =
        'sessionId' in which ? connection.sessionId === which.sessionId : connection.computerId === which.computerId
      if (isMeant) connection.end(reason)
    }
  }
}
