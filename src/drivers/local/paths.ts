import { createHash } from 'node:crypto'
import { join } from 'node:path'

/**
 * The paths of the local driver. Names on the host have a tag of the data directory, so that several servers can run.
 */
export class Paths {
  readonly data: string
  readonly tag: string

  constructor(dataDirectory: string) {
    this.data = dataDirectory
    this.tag = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 5)
  }

  /** One shared mount for the mounts of computers and namespaces, which later servers see as well. */
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
  /** Deleted by a reboot of the host, like the processes that it describes. */
  get runtime(): string {
    return `/run/carrel-${this.tag}`
  }
  get connections(): string {
    return join(this.runtime, 'connections')
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
  /** The folder with a computer's record and its runtime configuration. */
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
