import type { Listener } from '../../driver.ts'
import { isDialed } from './dial.ts'
import { listeningSockets } from './listening.ts'
import type { NetworkSlot } from './slots.ts'
import { findOwners, type StartedProcesses } from './socket-owners.ts'

interface Computer {
  slot: NetworkSlot
  /** Lists its processes by their host ids. */
  pids: () => number[]
  started: StartedProcesses
}

/** Who listens in computers. What was found out about a socket is kept while the socket is there. */
export class Listeners {
  /** For each computer the owner of each socket by inode; undefined for one that was not found. */
  readonly #owners = new Map<string, Map<number, string | undefined>>()

  /** By port, then address. */
  async of(id: string, computer: Computer): Promise<Listener[]> {
    const sockets = listeningSockets(computer.slot.networkNamespace)
    const known = this.#owners.get(id)
    const strange = new Set(sockets.map(({ inode }) => inode).filter((inode) => !known?.has(inode)))
    const found = strange.size === 0 ? undefined : await findOwners(strange, computer.pids(), computer.started)
    const owners = new Map(sockets.map(({ inode }) => [inode, known?.get(inode) ?? found?.get(inode)]))
    if (owners.size > 0) this.#owners.set(id, owners)
    else this.#owners.delete(id)
    return sockets
      .map(({ port, address, inode }) => ({
        port,
        address,
        processId: owners.get(inode),
        reachable: isDialed(computer.slot, address),
      }))
      .toSorted((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1))
  }

  forget(id: string): void {
    this.#owners.delete(id)
  }
}
