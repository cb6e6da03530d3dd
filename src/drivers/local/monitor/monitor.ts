import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isOutOfDescriptors } from '../../../errors.ts'
import { endFirst } from '../system/end-first.ts'
import { Pipe } from '../system/pipe.ts'
import { spawnProgram } from '../system/spawn.ts'
import { enterGroup, groupDirectory } from './exec-group.ts'
import { OrphanedGroups } from './orphaned-groups.ts'
import { JournalBudget } from './journal-budget.ts'
import { onLines } from './lines.ts'
import type {
  Answer,
  ContainerState,
  HelloAnswer,
  ListAnswer,
  Message,
  Request,
  StartAnswer,
  StartRequest,
} from './protocol.ts'
import { Reaper, type WaitStatus } from './reaper.ts'
import { containerFailure, PausedError, StartError, type StartFailureCode } from './start-failure.ts'
import { SupervisedProcess } from './supervised-process.ts'

/** Supervises all processes and containers, and answers the servers that are connected. */
export class Monitor {
  readonly #reaper = new Reaper()
  readonly #budget = new JournalBudget()
  readonly #scratchDirectory: string
  readonly #version: string
  readonly #processes = new Map<string, SupervisedProcess>()
  readonly #containers = new Map<string, ContainerState>()
  readonly #stopping = new Set<string>()
  readonly #connections = new Set<Socket>()
  readonly #followed = new Set<string>()
  readonly #grown = new Set<SupervisedProcess>()
  readonly #orphanedGroups = new OrphanedGroups()

  constructor(scratchDirectory: string, version: string) {
    this.#scratchDirectory = scratchDirectory
    this.#version = version
    setInterval(() => this.#writeToDisk(), 1000)
    setInterval(() => this.#orphanedGroups.sweep(sweptPerSecond), 1000)
  }

  connect(socket: Socket): void {
    this.#connections.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#connections.delete(socket))
    onLines(socket, (message) => void this.#answer(socket, message as Request & { seq: number }))
  }

  async #answer(socket: Socket, request: Request & { seq: number }): Promise<void> {
    let answer: Answer
    try {
      answer = { seq: request.seq, ok: (await this.#handle(request)) ?? null }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      answer = { seq: request.seq, failure: { code: failureCode(error), message } }
    }
    send(socket, answer)
  }

  #handle(request: Request): unknown {
    if ('notAfterMs' in request && Date.now() > request.notAfterMs!)
      throw new StartError('unavailable', 'the process monitor received the request too late')
    switch (request.op) {
      case 'hello':
        return { version: this.#version, pid: process.pid } satisfies HelloAnswer
      case 'bound-journals':
        this.#budget.bounds = request.bounds
        return
      case 'journal-bytes':
        return this.#budget.bytes
      case 'run-container':
        return this.#runContainer(request)
      case 'start':
        return this.#start(request.process)
      case 'write':
        return this.#find(request.processId).write(Buffer.from(request.data, 'base64'))
      case 'close-stdin':
        return this.#find(request.processId).closeStdin()
      case 'resize':
        return this.#find(request.processId).resize(request.cols, request.rows)
      case 'kill':
        return this.#find(request.processId).kill(request.signal, request.scope)
      case 'follow':
        return this.#follow(request.processId)
      case 'taken':
        return this.#processes.get(request.processId)?.taken(request.cursor)
      case 'stopping':
        return this.#markStopping(request.computerId)
      case 'list':
        return {
          processes: [...this.#processes.values()].map(({ state }) => state),
          containers: [...this.#containers.values()],
        } satisfies ListAnswer
      case 'release':
        return this.#release(request.processId)
      case 'quit':
        setImmediate(() => process.exit(0))
        return
    }
  }

  async #runContainer(request: Request & { op: 'run-container' }): Promise<{ pid: number }> {
    this.#stopping.delete(request.computerId)
    const errors = new Pipe()
    rmSync(request.pidFile, { force: true })
    const runtimePid = startRuntime(request.command, errors)
    const ended = new Promise<WaitStatus>((resolve) => this.#reaper.watch(runtimePid, resolve))
    const group = request.groups?.byRuntime === false ? groupDirectory(request.groups) : undefined
    if (group !== undefined) await enterGroup(group, runtimePid).catch(() => {})
    const stderr = errors.reader().setEncoding('utf8')
    let errorText = ''
    stderr.on('data', (chunk: string) => {
      errorText = (errorText + chunk).slice(-4096)
    })
    const { exitCode } = await ended
    if (exitCode !== 0) {
      await Promise.race([once(stderr, 'close'), delay(100)])
      throw containerFailure(errorText)
    }
    stderr.destroy()
    const pid = readPid(request.pidFile)
    // The runtime writes no process id when the container's first process has ended early.
    if (pid === 0) throw containerFailure('')
    // The runtime may have created the process before the runtime itself was in the group.
    if (group !== undefined) await enterGroup(group, pid)
    endFirst(pid)
    this.#containers.set(request.computerId, { computerId: request.computerId, pid })
    this.#reaper.watch(pid, (status) => {
      this.#containers.delete(request.computerId)
      const reason = this.#stopping.delete(request.computerId) ? 'stopped' : status.signal ? 'signalled' : 'exited'
      this.#broadcast({ event: 'container-exit', computerId: request.computerId, reason })
    })
    return { pid }
  }

  /** Starts a process. Retries while the computer is frozen because the tree of another process is being ended. */
  async #start(request: StartRequest): Promise<StartAnswer> {
    for (let waitedMs = 0; ; waitedMs += pausedPollMs) {
      try {
        return await this.#startNow(request)
      } catch (error) {
        if (!(error instanceof PausedError) || waitedMs >= maxPausedMs) throw error
        await delay(pausedPollMs)
      }
    }
  }

  async #startNow(request: StartRequest): Promise<StartAnswer> {
    if (this.#processes.has(request.processId)) throw new Error(`process "${request.processId}" exists`)
    const supervised = new SupervisedProcess(request, {
      reaper: this.#reaper,
      budget: this.#budget,
      scratchDirectory: this.#scratchDirectory,
      onExit: (ended) => this.#ended(ended),
      onGrowth: (grown) => this.#grew(grown),
      onLeave: (group) => this.#orphanedGroups.add(group),
    })
    this.#processes.set(request.processId, supervised)
    try {
      await supervised.start()
    } catch (error) {
      this.#processes.delete(request.processId)
      this.#budget.leave(supervised.journal)
      throw error
    }
    const { pid, insidePid, startedAtMs } = supervised
    return { pid, insidePid, startedAtMs }
  }

  /** Writes the process's output to the disk as it comes, and reports its growth, from now on. */
  #follow(processId: string): { end: number } {
    const supervised = this.#find(processId)
    supervised.journal.spill()
    this.#followed.add(processId)
    return { end: supervised.journal.end }
  }

  #markStopping(computerId: string): void {
    if (this.#containers.has(computerId)) this.#stopping.add(computerId)
    for (const supervised of this.#processes.values()) {
      if (supervised.request.computerId === computerId) supervised.stopping = true
    }
  }

  #release(processId: string): void {
    const supervised = this.#processes.get(processId)
    if (!supervised?.exit) return
    supervised.record()
    this.#processes.delete(processId)
    this.#budget.leave(supervised.journal)
  }

  #ended(supervised: SupervisedProcess): void {
    this.#followed.delete(supervised.request.processId)
    const journal = supervised.journal.held?.toString('base64')
    this.#broadcast({ event: 'exit', processId: supervised.request.processId, exit: supervised.exit!, journal })
  }

  /**
   * Reports growth once in each turn of the event loop. For a process that nobody follows, reports it once a second,
   * and not in the first second, so that short processes cost no message.
   */
  #grew(supervised: SupervisedProcess): void {
    const now = Date.now()
    if (!this.#followed.has(supervised.request.processId) && now - supervised.growthReportedAtMs < quietMs) return
    supervised.growthReportedAtMs = now
    if (this.#grown.size === 0) setImmediate(() => this.#reportGrowth())
    this.#grown.add(supervised)
  }

  #reportGrowth(): void {
    for (const { request, journal } of this.#grown)
      this.#broadcast({ event: 'grew', processId: request.processId, end: journal.end })
    this.#grown.clear()
  }

  /** Writes the output of longer processes, and exits that could not be recorded before. */
  #writeToDisk(): void {
    const now = Date.now()
    for (const supervised of this.#processes.values()) {
      if (supervised.exit) supervised.record()
      else if (now - supervised.startedAtMs > 1000) supervised.journal.spill()
    }
  }

  #find(processId: string): SupervisedProcess {
    const supervised = this.#processes.get(processId)
    if (!supervised) throw new StartError('not_found', `process "${processId}" is not known`)
    return supervised
  }

  #broadcast(message: Message): void {
    for (const socket of this.#connections) send(socket, message)
  }
}

/** Returns 0 when there is no file. */
function readPid(file: string): number {
  try {
    return Number(readFileSync(file, 'latin1'))
  } catch {
    return 0
  }
}

const pausedPollMs = 10
/** Ending a tree takes less time, whatever its programs do. */
const maxPausedMs = 5000
const quietMs = 1000
const sweptPerSecond = 1000

/** Throws a `StartError` when the host lacks the resources for the process. */
function startRuntime(command: string[], errors: Pipe): number {
  try {
    return spawnProgram(command, [undefined, errors.writeEnd, errors.writeEnd])
  } catch (error) {
    errors.close()
    throw new StartError('unavailable', error instanceof Error ? error.message : String(error))
  }
}

function failureCode(error: unknown): StartFailureCode {
  if (error instanceof StartError) return error.code
  return isOutOfDescriptors(error) ? 'no_capacity' : 'conflict'
}

function send(socket: Socket, message: Message): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`)
}
