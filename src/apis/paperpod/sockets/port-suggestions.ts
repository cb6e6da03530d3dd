import type { Caller } from '../../../engine/caller.ts'
import { findComputer, type AccessibleComputer } from '../../../engine/computers/access/open-computer.ts'
import { subscribe } from '../../../engine/computers/subscribe.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { OpenPort } from '../../../engine/types.ts'
import { portHint } from '../process-hints.ts'
import { isReserved } from '../reserved-ports.ts'
import type { Suggestion } from './suggestions.ts'

interface Options {
  engine: Engine
  caller: Caller
  suggest: (suggestion: Suggestion) => void
}

/** Suggests a preview for each port that is opened on the sandboxes of a connection, until closed. */
export class PortSuggestions {
  readonly #options: Options
  /** The functions that unsubscribe, by computer. */
  readonly #watched = new Map<string, () => void>()
  readonly #known = new Set<string>()
  #isClosed = false

  constructor(options: Options) {
    this.#options = options
  }

  /** Watches a sandbox that a message names; looks it up only once. */
  async use(sessionId: string): Promise<void> {
    if (this.#known.has(sessionId) || this.#known.size >= maxSandboxes) return
    const { engine, caller } = this.#options
    const computer = await findComputer(engine, caller, { name: sessionId }, 'look')
    if (computer) this.watch(sessionId, computer)
  }

  watch(sessionId: string, computer: AccessibleComputer): void {
    if (this.#isClosed || this.#watched.has(computer.id) || this.#watched.size >= maxSandboxes) return
    this.#known.add(sessionId)
    const stop = subscribe(this.#options.engine, computer, (event) => {
      if (event.type === 'port.detected') this.#options.suggest(portSuggestion(event.port, sessionId))
    })
    this.#watched.set(computer.id, stop)
  }

  close(): void {
    this.#isClosed = true
    for (const stop of this.#watched.values()) stop()
    this.#watched.clear()
  }
}

function portSuggestion(port: OpenPort, sessionId: string): Suggestion {
  const session = sessionId === '' ? {} : { sessionId }
  const isExposable = port.reachable && !isReserved(port.port)
  return {
    message: portHint(port, sessionId),
    category: 'port_detected',
    ...(isExposable ? { action: { type: 'expose', port: port.port, ...session } } : {}),
    ...(port.processId === undefined ? {} : { processId: port.processId }),
    port: port.port,
    ...session,
  }
}

/** The max number of sandboxes of one connection; further ones get no suggestions. */
const maxSandboxes = 64
