import type { Listener } from '../../driver.ts'
import { isDialable } from './dial.ts'
import { listeningSockets } from './listening.ts'
import type { NetworkSlot } from './slots.ts'
import { findOwners, type StartedProcesses } from './socket-owners.ts'

interface Computer {
  slot: NetworkSlot
  /** Returns the host ids of its processes. */
  pids: () => number[]
  started: StartedProcesses
}

/** The listeners of computers. The owner of a socket is cached while the socket exists. */
export class Listeners {
  /** The owner of each socket by inode, by computer; undefined for an owner that was not found. */
  readonly #owners = new Map<string, Map<number, string | undefined>>()

  /** Returns the listeners of a computer, ordered by port, then by address. */
  async of(id: string, computer: Computer): Promise<Listener[]> {
    const sockets = listeningSockets(computer.slot.networkNamespace)
    const known = this.#owners.get(id)
    const unknown = new Set(sockets.map(({ inode }) => inode).filter((inode) => !known?.has(inode)))
    const found = unknown.size === 0 ? undefined : await findOwners(unknown, computer.pids(), computer.started)
    const owners = new Map(sockets.map(({ inode }) => [inode, known?.get(inode) ?? found?.get(inode)]))
    if (owners.size > 0) this.#owners.set(id, owners)
    else this.#owners.delete(id)
    return sockets
      .map(({ port, address, inode }) => ({
        port,
        address,
        processId: owners.get(inode),
        reachable: isDialable(computer.slot, address),
      }))
      .toSorted((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1))
  }

  forget(id: string): void {
    this.#owners.delete(id)
  }
}
