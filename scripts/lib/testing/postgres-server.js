import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { postgresPrograms } from '../packages/postgres-programs.js'
import { runProgram } from '../run-program.js'
import { SetupFailure } from '../setup-failure.js'

/**
 * Where every user may make a folder, and whose path is short enough for that of a socket. In memory, where there is room,
 * a database is made in a tenth of the time.
 */
const inMemory = '/dev/shm'
const onDisk = '/tmp'
const minFreeBytes = 2 * 1024 ** 3
const prefix = 'carrel-postgres-'
const maxLogLines = 20

/** PostgreSQL refuses to run as root. */
const asPostgres = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']

/** What a server of an operator decides is left at its default. */
const settings = [
  'listen_addresses=',
  'unix_socket_permissions=0700',
  'max_connections=400',
  // Not that of this project's developers, nor UTC: whoever leans on the server's zone finds out.
  'timezone=Pacific/Chatham',
]

/** For data that does not have to outlive the run. */
const fast = [
  'fsync=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_wal_size=256MB',
  'autovacuum=off',
]

/** The PostgreSQL server of a test run, in a folder of its own. It ends with the run, also with one that is killed. */
export class PostgresServer {
  /** The URL of its first database, for a user who may create others. */
  url
  #process
  #folder

  /**
   * @param {import('node:child_process').ChildProcess} process
   * @param {string} folder
   */
  constructor(process, folder) {
    this.#process = process
    this.#folder = folder
    this.url = `postgres:///postgres?host=${folder}&user=carrel`
  }

  /** @param {{ durable?: boolean }} [options] whether a commit is on the disk, as on a server of an operator */
  static async start({ durable = false } = {}) {
    removeLeftFolders()
    const programs = postgresPrograms()
    if (programs === undefined) throw new SetupFailure('Cannot test on PostgreSQL: it is not installed.')
    const run = (/** @type {string[]} */ ...argv) => runAsPostgres(argv)
    const folder = (
      await run('mktemp', '-d', join(durable ? onDisk : parentFolder(), `${prefix}${process.pid}-XXXXXX`))
    ).trim()
    const data = join(folder, 'data')
    const major = Number(/\/(\d+)\//.exec(programs)?.[1])
    await run(join(programs, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', ...locale(major))
    const set = (durable ? settings : [...settings, ...fast]).flatMap((each) => ['-c', each])
    const postgres = [join(programs, 'postgres'), '-D', data, '-k', folder, ...set]
    const [program = '', ...args] = [...asPostgres, '--pdeathsig=QUIT', ...postgres]
    // A group of its own keeps the terminal's Ctrl-C away from it while the tests end.
    const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    await accepting(server)
    await run(join(programs, 'createuser'), '-h', folder, '-U', 'postgres', '--createdb', 'carrel')
    return new PostgresServer(server, folder)
  }

  async stop() {
    const { exitCode, signalCode } = this.#process
    if (exitCode === null && signalCode === null) {
      const exited = once(this.#process, 'exit')
      this.#process.kill('SIGQUIT')
      await exited
    }
    rmSync(this.#folder, { recursive: true })
  }
}

/**
 * Returns the options of `initdb` for a language whose order is not that of the bytes, so that code which leans on the
 * order of the server fails. Before version 15 only the language of the system can be that of a server.
 * @param {number} major
 */
function locale(major) {
  const icu = major >= 15 ? ['--locale-provider=icu', '--icu-locale=en-US'] : []
  return ['--encoding=UTF8', '--locale=C.UTF-8', ...icu]
}

/**
 * Waits until a server accepts connections. Reads what it logs from then on, too, so that it can go on logging.
 * @param {import('node:child_process').ChildProcess} server
 */
async function accepting(server) {
  /** @type {string[]} */
  let last = []
  await new Promise((resolve, reject) => {
    createInterface({ input: /** @type {import('node:stream').Readable} */ (server.stderr) }).on('line', (line) => {
      last = [...last, line].slice(-maxLogLines)
      if (line.includes('database system is ready to accept connections')) resolve(undefined)
    })
    server.once('error', reject)
    server.once('close', () => reject(new SetupFailure(`Cannot start PostgreSQL for the tests:\n${last.join('\n')}`)))
  })
}

/** @param {string[]} argv */
async function runAsPostgres(argv) {
  const { code, output } = await runProgram([...asPostgres, ...argv])
  if (code !== 0) throw new SetupFailure(`Cannot prepare PostgreSQL for the tests: ${argv[0]}: ${output.trim()}`)
  return output
}

function parentFolder() {
  return hasRoom(inMemory) ? inMemory : onDisk
}

/** @param {string} folder */
function hasRoom(folder) {
  if (!existsSync(folder)) return false
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize >= minFreeBytes
}

/** Removes the folders of runs that were killed. */
function removeLeftFolders() {
  for (const parent of [inMemory, onDisk].filter((folder) => existsSync(folder)))
    for (const name of readdirSync(parent)) {
      const [, pid] = /^carrel-postgres-(\d+)-\w+$/.exec(name) ?? []
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(parent, name), { recursive: true, force: true })
    }
}
