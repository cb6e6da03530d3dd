import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * A server's data directory and the names of its resources on this host, as src/drivers/local/paths.ts derives them.
 */
export class DataDirectory {
  /** @param {string} path */
  constructor(path) {
    const given = resolve(path)
    this.tag = createHash('sha256').update(given).digest('hex').slice(0, 5)
    this.lxcfs = join(given, 'mounts/lxcfs')
    // The kernel reports files and mounts by paths without links.
    this.path = existsSync(given) ? realpathSync(given) : given
    this.lock = join(this.path, 'server.lock')
    this.mounts = join(this.path, 'mounts')
    this.pool = join(this.path, 'pool')
    this.poolImage = join(this.path, 'pool.img')
    this.runtime = `/run/carrel-${this.tag}`
    this.cgroup = `carrel-${this.tag}`
    this.interfacePrefix = `c${this.tag}x`
    this.firewallTable = `carrel_${this.tag}`
  }

  /** Whether a server has ever used the directory. */
  get isUsed() {
    return existsSync(this.lock)
  }

  /** Returns the processes that have a file open. @param {string} file */
  holders(file) {
    return processes().filter((pid) => openFiles(pid).includes(file))
  }

  /** Returns the processes that have this word among their arguments. @param {string} word */
  startedWith(word) {
    return processes().filter((pid) => textOf(`/proc/${pid}/cmdline`).split('\0').includes(word))
  }

  /** Returns the mount points on or below a folder, the latest first. @param {string} folder */
  mountedBelow(folder) {
    return textOf('/proc/self/mountinfo')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((target) => target === folder || target.startsWith(`${folder}/`))
      .toReversed()
  }

  /** The control groups of the directory, in each tree of this host. */
  get cgroups() {
    const root = '/sys/fs/cgroup'
    return [root, ...namesIn(root).map((name) => join(root, name))]
      .map((tree) => join(tree, this.cgroup))
      .filter((group) => existsSync(join(group, 'cgroup.procs')))
  }
}

/** @param {string} folder */
export function namesIn(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** @param {string} file */
export function textOf(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function processes() {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** @param {number} pid */
function openFiles(pid) {
  return namesIn(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return ''
    }
  })
}
