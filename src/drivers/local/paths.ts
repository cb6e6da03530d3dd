import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Where the local driver keeps things. Names on the host carry a tag of the data directory, so that several can be in use. */
export class Paths {
  readonly data: string
  readonly tag: string

  constructor(dataDirectory: string) {
    this.data = dataDirectory
    this.tag = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 5)
  }

  /** Mounts of computers and namespaces: one shared mount, seen by every server that comes. */
  get mounts(): string {
    return join(this.data, 'mounts')
  }
  get slots(): string {
    return join(this.mounts, 'net')
  }
  get lxcfs(): string {
    return join(this.mounts, 'lxcfs')
  }
  get guestFiles(): string {
    return join(this.mounts, 'guest')
  }
  get processes(): string {
    return join(this.data, 'processes')
  }
  /** Gone after a boot of the host, as what it describes is. */
  get runtime(): string {
    return `/run/carrel-${this.tag}`
  }
  get interfacePrefix(): string {
    return `c${this.tag}x`
  }
  get firewallTable(): string {
    return `carrel_${this.tag}`
  }
  cgroup(id: string): string {
    return `/carrel-${this.tag}/${id}`
  }
  /** A computer's folder: its description, its runtime configuration. */
  computer(id: string): string {
    return join(this.data, 'computers', id)
  }
  root(id: string): string {
    return join(this.mounts, 'root', id)
  }
  process(processId: string): string {
    return join(this.processes, processId)
  }
}
