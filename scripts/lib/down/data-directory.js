import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** A server's data directory, and the names that go with it on this host, as src/drivers/local/paths.ts makes them. */
export class DataDirectory {
  /** @param {string} path */
  constructor(path) {
    const given = resolve(path)
    this.tag = createHash('sha256').update(given).digest('hex').slice(0, 5)
    this.lxcfs = join(given, 'mounts/lxcfs')
    // The kernel tells of files and mounts without the links on the way.
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

  /** Whether a server has ever run on it. */
  get isUsed() {
    return existsSync(this.lock)
  }

  /** Processes that have one of its files open. @param {string} file */
  holders(file) {
    return processes().filter((pid) => openFiles(pid).includes(file))
  }

  /** Processes that were started with this word among their arguments. @param {string} word */
  startedWith(word) {
    return processes().filter((pid) => textOf(`/proc/${pid}/cmdline`).split('\0').includes(word))
  }

  /** Where something is mounted below one of its folders, or on it; what is mounted last comes first. @param {string} folder */
  mountedBelow(folder) {
    return textOf('/proc/self/mountinfo')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((target) => target === folder || target.startsWith(`${folder}/`))
      .toReversed()
  }

  /** Its control group in each tree of this host that has it. */
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
