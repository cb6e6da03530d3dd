import type { Caller } from '../../../engine/caller.ts'
import { findComputer, type AccessibleComputer } from '../../../engine/computers/access/open-computer.ts'
import { processName } from '../../../engine/computers/processes/process-name.ts'
import { subscribe } from '../../../engine/computers/subscribe.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { OpenPort } from '../../../engine/types.ts'
import { portAdvice } from '../process-hints.ts'
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
    const { engine, suggest } = this.#options
    const stop = subscribe(engine, computer, (event) => {
      if (event.type !== 'port.detected') return
      const { port } = event
      const processId = port.processId === undefined ? undefined : processName(engine, computer, port.processId)
      suggest(portSuggestion(port, sessionId, processId))
    })
    this.#watched.set(computer.id, stop)
  }

  close(): void {
    this.#isClosed = true
    for (const stop of this.#watched.values()) stop()
    this.#watched.clear()
  }
}

function portSuggestion(port: OpenPort, sessionId: string, processId: string | undefined): Suggestion {
  const session = sessionId === '' ? {} : { sessionId }
  const isExposable = port.reachable && !isReserved(port.port)
  return {
    message: portAdvice(port, 'Expose the port to get its preview URL.'),
    category: 'port_detected',
    ...(isExposable ? { action: { type: 'expose', port: port.port, ...session } } : {}),
    ...(processId === undefined ? {} : { processId }),
    port: port.port,
    ...session,
  }
}

/** The max number of sandboxes of one connection; further ones get no suggestions. */
const maxSandboxes = 64
