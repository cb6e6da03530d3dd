import { existsSync, readFileSync, readdirSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { runProgram } from '../run-program.js'
import { SetupFailure } from '../setup-failure.js'

/** Space for the base image, its build and the first computers. */
const firstStartBytes = 6 * 1024 ** 3
/** With less free space, the database and the output of computers are at risk. */
const laterStartBytes = 1024 ** 3

export function checkPlatform() {
  if (process.platform === 'linux') return
  throw new SetupFailure(
    `Cannot run on ${process.platform}: computers are Linux containers; start Carrel on Linux, such as in a virtual machine.`,
  )
}

/**
 * @param {string} host
 * @param {number} port
 * @returns {Promise<void>}
 */
export function checkPort(host, port) {
  return new Promise((done, reject) => {
    const server = createServer()
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      reject(new SetupFailure(`Cannot listen on ${host}:${port}: ${portReason(error, port)}, then try again.`))
    })
    server.listen({ host, port }, () => server.close(() => done()))
  })
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {number} port
 */
function portReason(error, port) {
  if (error.code === 'EADDRINUSE') {
    const other = port < 65_535 ? port + 1 : port - 1
    return `a program already listens there; stop it, or set another port with CARREL_PORT=${other}`
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return 'this machine has no such address; set CARREL_HOST to one that it has'
  }
  if (error.code === 'EACCES') return 'ports below 1024 need root; set another port with CARREL_PORT=4280'
  return `${error.message}; set CARREL_HOST and CARREL_PORT to an address of this machine`
}

/** @param {string} dataDirectory */
export function checkDisk(dataDirectory) {
  const path = resolve(dataDirectory)
  const { bavail, bsize } = statfsSync(nearestExisting(path))
  const freeBytes = bavail * bsize
  const neededBytes = hasPool(path) ? laterStartBytes : firstStartBytes
  if (freeBytes >= neededBytes) return
  throw new SetupFailure(
    `Cannot keep computers in "${path}": ${gibibytes(freeBytes)} GiB are free there and ${gibibytes(neededBytes)} GiB ` +
      'are needed; free some space, or set CARREL_DATA to a folder on a larger disk.',
  )
}

/** @param {string} path */
function nearestExisting(path) {
  let existing = path
  while (!existsSync(existing)) existing = dirname(existing)
  return existing
}

/** @param {string} dataDirectory */
function hasPool(dataDirectory) {
  const directory = join(dataDirectory, 'pool')
  try {
    return existsSync(`${directory}.img`) || readdirSync(directory).length > 0
  } catch {
    return false
  }
}

/** @param {number} bytes */
function gibibytes(bytes) {
  return Math.floor((bytes / 1024 ** 3) * 10) / 10
}

/** Throws if namespaces cannot be created. Needs root, as the kernel may permit to root what it forbids others. */
export async function checkNamespaces() {
  // The namespaces of computers are created inside a user namespace, those for their networks and mounts outside of
  // one.
  const attempts = await Promise.all([
    runProgram(['unshare', '--user', '--pid', '--net', '--mount', '--fork', 'true']),
    runProgram(['unshare', '--net', '--mount', 'true']),
  ])
  const refused = attempts.find(({ code }) => code !== 0)
  if (refused === undefined) return
  const reason = refused.output.trim().split('\n')[0]
  throw new SetupFailure(`Cannot create namespaces: ${reason}; ${namespaceAdvice()}, then try again.`)
}

function namespaceAdvice() {
  const switches = { 'user.max_user_namespaces': 15_000, 'kernel.unprivileged_userns_clone': 1 }
  for (const [name, value] of Object.entries(switches)) {
    if (readText(`/proc/sys/${name.replaceAll('.', '/')}`).trim() === '0') return `run "sysctl -w ${name}=${value}"`
  }
  return 'start Carrel on a host, in a virtual machine, or in a privileged container (--privileged)'
}

/** Throws if there is no overlay file system. Needs root, as the module may have to be loaded. */
export async function checkOverlay() {
  const known = () => /\boverlay$/m.test(readText('/proc/filesystems'))
  if (known()) return
  const { output } = await runProgram(['modprobe', 'overlay'])
  if (known()) return
  const reason = output.trim().split('\n')[0] || 'this kernel does not support it'
  throw new SetupFailure(
    `Cannot use the overlay file system: ${reason}; run "modprobe overlay" on the host, or a kernel with overlay, then try again.`,
  )
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
