import { closeSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import type { ExitReason, ProcessExit } from '../../driver.ts'
import { endFirst } from '../system/end-first.ts'
import { openNamedPipe } from '../system/named-pipe.ts'
import { Pipe } from '../system/pipe.ts'
import { runAhead } from '../system/run-ahead.ts'
import { spawnProgram } from '../system/spawn.ts'
import { ExecGroup } from './exec-group.ts'
import type { Journal, StreamName } from './journal.ts'
import type { JournalBudget } from './journal-budget.ts'
import { assertMappedUser } from './mapped-user.ts'
import { logError } from './monitor-log.ts'
import { ProcessOutput } from './process-output.ts'
import { exitFileName, shortRecordPath } from './process-record.ts'
import { sendSignal } from '../system/signal.ts'
import { readOomKills } from './oom-kills.ts'
import { signalTree } from './process-tree.ts'
import type { ProcessState, StartRequest } from './protocol.ts'
import type { Reaper, WaitStatus } from './reaper.ts'
import { capacityFailure, endedFailure, StartError, startFailure } from './start-failure.ts'
import { ConsoleSocket, Terminal } from './terminal.ts'

interface Context {
  reaper: Reaper
  budget: JournalBudget
  /** A directory in memory for the files of a start. */
  scratchDirectory: string
  onExit: (process: SupervisedProcess) => void
  onGrowth: (process: SupervisedProcess) => void
  /** Called with the group of a process that has ended or was not started. */
  onLeave: (group: ExecGroup) => void
}

/** One process in a computer, from its start by the OCI runtime to its exit on disk. */
export class SupervisedProcess {
  readonly request: StartRequest
  readonly startedAtMs = Date.now()
  readonly journal: Journal
  /** Process id on the host. */
  pid = 0
  insidePid = 0
  exit: ProcessExit | undefined
  /** Set while its computer is being stopped, for the reason of the exit. */
  stopping = false
  /** When the growth of its output was last reported. */
  growthReportedAtMs = this.startedAtMs
  readonly #context: Context
  #group: ExecGroup | undefined
  /** Set when its start took too long. */
  #isLate = false
  #terminal: Terminal | undefined
  #input: Writable | undefined
  #inputBytes = 0
  #outputs: ProcessOutput[] = []
  #timer: NodeJS.Timeout | undefined
  #timedOut = false
  #oomKillsBefore = 0
  /** The cursor up to which a client has read its output. */
  #takenCursor = 0
  #isPaused = false
  #isRecorded = false
  #hasLoggedFailure = false

  constructor(request: StartRequest, context: Context) {
    this.request = request
    this.#context = context
    const { directory, computerId, owner = computerId } = request
    this.journal = context.budget.open(directory, computerId, owner)
  }

  get state(): ProcessState {
    const { processId, computerId, directory, aheadBytes, timeoutMs, meta } = this.request
    const { pid, insidePid, startedAtMs, exit } = this
    return { processId, computerId, pid, insidePid, startedAtMs, directory, aheadBytes, timeoutMs, meta, exit }
  }

  /** Resolves when the program runs. Rejects with a `StartError` when it cannot be started. */
  async start(): Promise<void> {
    this.#oomKillsBefore = readOomKills(this.request.cgroup.oomKills)
    assertMappedUser(this.request.spec)
    const path = join(this.#context.scratchDirectory, this.request.processId)
    const files = { pid: `${path}.pid`, console: `${path}.tty` }
    this.#group = ExecGroup.create(this.request.processId, this.request.cgroup)
    let consoleSocket: ConsoleSocket | undefined
    try {
      consoleSocket = this.request.tty && new ConsoleSocket(files.console)
      const errorText = await this.#runRuntime(files, consoleSocket !== undefined)
      this.pid = readPid(files.pid)
      if (this.pid === 0) throw startFailure(errorText)
      this.insidePid = this.#context.reaper.insidePid(this.pid)
      if (consoleSocket) this.#openTerminal(consoleSocket.receive())
    } catch (error) {
      void this.#group?.signal('SIGKILL').then(() => this.#leaveGroup())
      throw (
        capacityFailure(error) ??
        (error instanceof StartError ? error : new StartError('unavailable', messageOf(error)))
      )
    } finally {
      consoleSocket?.close()
      removeQuietly(files.pid)
    }
    this.#context.reaper.watch(this.pid, (status) => void this.#ended(status))
    const { timeoutMs } = this.request
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#timeOut(), Math.min(timeoutMs, 2 ** 31 - 1))
  }

  /** Resolves when the pipe or terminal of the program has accepted the bytes. */
  async write(data: Buffer): Promise<void> {
    const open = this.#terminal ?? (this.#input?.writable && this.#input)
    if (!open || this.exit) throw new Error('its stdin is closed')
    if (this.#inputBytes > maxInputBytes) throw new Error('its stdin is full')
    this.#inputBytes += data.length
    try {
      if (open instanceof Terminal) await open.write(data)
      else
        await new Promise<void>((resolve, reject) => open.write(data, (error) => (error ? reject(error) : resolve())))
    } catch (error) {
      throw new Error('its stdin is closed', { cause: error })
    } finally {
      this.#inputBytes -= data.length
    }
  }

  closeStdin(): void {
    if (this.#terminal) void this.#terminal.write(Buffer.from([endOfTransmission])).catch(() => {})
    else this.#input?.end()
  }

  resize(cols: number, rows: number): void {
    if (!this.#terminal) throw new Error('it has no terminal')
    this.#terminal.resize(cols, rows)
  }

  /** Records that a client has read the output up to a cursor. */
  taken(cursor: number): void {
    this.#takenCursor = Math.min(Math.max(this.#takenCursor, cursor), this.journal.end)
    this.#applyBackpressure()
  }

  /** Pauses or resumes the reading of output. While it is paused, the process blocks in a write as on a full pipe. */
  #applyBackpressure(): void {
    const { aheadBytes = Infinity } = this.request
    const isPaused = this.journal.end - this.#takenCursor > aheadBytes
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    for (const output of this.#outputs) output.setPaused(isPaused)
  }

  async kill(signal: NodeJS.Signals, scope: 'process' | 'tree'): Promise<void> {
    if (this.exit) return
    if (scope === 'tree') await this.#signalTree(signal)
    else process.kill(this.pid, signal)
  }

  async #signalTree(signal: NodeJS.Signals): Promise<void> {
    const { processId, cgroup } = this.request
    if (this.#group) await this.#group.signal(signal)
    else await signalTree({ pid: this.pid, processId, cgroup }, signal)
  }

  #leaveGroup(): void {
    if (!this.#group) return
    this.#context.onLeave(this.#group)
    this.#group = undefined
  }

  /** Resolves when the runtime has ended, with what was written to stderr until then: a failed start says why there. */
  async #runRuntime(files: { pid: string; console: string }, tty: boolean): Promise<string> {
    const argv = [...this.request.command, '--detach', '--pid-file', files.pid, '--process', `/proc/self/fd/${specFd}`]
    if (tty) argv.push('--tty', '--console-socket', files.console)
    const { groups } = this.request.cgroup
    if (this.#group && groups?.byRuntime) argv.push('--cgroup', this.request.processId)
    argv.push(this.request.computerId)
    const pipes: Pipe[] = []
    const newPipe = () => pipes[pipes.push(new Pipe()) - 1]!
    let runtimePid: number
    const { streams } = this.request
    const given: number[] = []
    let stdin, stdout, stderr, spec
    try {
      if (streams) given.push(openNamedPipe(streams.stdin, 'read'), openNamedPipe(streams.stdout, 'write'))
      stdin = this.request.stdin && !tty ? newPipe() : undefined
      stdout = tty || streams ? undefined : newPipe()
      stderr = newPipe()
      spec = newPipe()
      const [input = stdin?.readEnd, output = stdout?.writeEnd] = given
      runtimePid = spawnProgram(argv, [input, output, stderr.writeEnd, spec.readEnd])
    } catch (error) {
      for (const pipe of pipes) pipe.close()
      throw error
    } finally {
      for (const fd of given) closeSync(fd)
    }
    const ended = new Promise<WaitStatus>((resolve) => this.#context.reaper.watch(runtimePid, resolve))
    endFirst(runtimePid)
    // crun sets the terminal's size while the program is already starting, and must be the faster of the two.
    if (tty) runAhead(runtimePid)
    this.#input = stdin?.writer().on('error', () => {})
    let errorText = ''
    if (stdout)
      this.#outputs.push(
        new ProcessOutput('stdout', stdout.readEnd, stdout.reader(), (...output) => this.#take(...output)),
      )
    const errors = stderr.reader()
    const errorOutput = new ProcessOutput('stderr', stderr.readEnd, errors, (name, chunk) => {
      if (this.pid === 0) errorText = (errorText + chunk.toString()).slice(0, 4096)
      if (!tty) this.#take(name, chunk)
    })
    const { exitCode, signal } = await this.#instruct(runtimePid, spec.writer(), ended)
    if (exitCode !== 0) errorOutput.takeRest()
    if (tty) errors.destroy()
    else this.#outputs.push(errorOutput)
    if (signal) throw endedFailure(this.#isLate)
    return errorText
  }

  /**
   * Puts the runtime into the group of its children, then sends it the process object that it waits for. Resolves at
   * the runtime's end, which is enforced after a time limit: a guest can stop the runtime while that is among its
   * processes.
   */
  async #instruct(runtimePid: number, spec: Writable, ended: Promise<WaitStatus>): Promise<WaitStatus> {
    const end = () => {
      sendSignal(runtimePid, 'SIGKILL')
      void this.#group?.signal('SIGKILL').catch(() => {})
    }
    const timer = setTimeout(() => {
      this.#isLate = true
      end()
    }, maxStartMs)
    spec.on('error', () => {})
    try {
      if (!this.request.cgroup.groups?.byRuntime) await this.#group?.enter(runtimePid)
      spec.end(JSON.stringify(this.request.spec))
      return await ended
    } catch (error) {
      spec.destroy()
      end()
      const status = await ended
      // The runtime had ended before, and reports why.
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return status
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #openTerminal(masterFd: number): void {
    this.#terminal = new Terminal(masterFd)
    const { cols, rows } = this.request.tty!
    this.#terminal.resize(cols, rows)
    this.#outputs.push(
      new ProcessOutput('stdout', masterFd, this.#terminal.output, (...output) => this.#take(...output)),
    )
  }

  /**
   * Stores output. What surviving children write after the end is read, so that they are not blocked, and discarded.
   */
  #take(stream: StreamName, chunk: Buffer): void {
    if (this.exit) return
    this.journal.append(stream, chunk)
    this.#context.onGrowth(this)
    this.#applyBackpressure()
  }

  #timeOut(): void {
    this.#timedOut = true
    void this.kill('SIGKILL', 'tree').catch(() => {})
  }

  async #ended(status: WaitStatus): Promise<void> {
    clearTimeout(this.#timer)
    const reason = this.#reason(status)
    if (reason === 'timeout') await this.#signalTree('SIGKILL')
    for (const output of this.#outputs) {
      output.takeRest()
      output.linger(this.request.owner ?? this.request.computerId)
    }
    this.#terminal?.release()
    this.#leaveGroup()
    this.exit = {
      reason,
      ...status,
      endedAtMs: Date.now(),
      outputBytes: this.journal.bytes,
      truncated: this.journal.truncated,
      keptBytes: this.journal.diskBytes || this.journal.end,
    }
    this.#input?.destroy()
    this.#context.onExit(this)
    this.record()
  }

  #reason(status: WaitStatus): ExitReason {
    if (this.#timedOut) return 'timeout'
    const killed = status.exitCode === 128 + 9
    if (killed && readOomKills(this.request.cgroup.oomKills) > this.#oomKillsBefore) return 'oom'
    if (this.stopping) return 'stopped'
    return status.signal ? 'signalled' : 'exited'
  }

  /**
   * Writes output and exit to the disk, after the exit was reported: one file for a short process, otherwise a file
   * next to the segments. Does nothing while the process runs or when it is recorded. Can be called again after a
   * failure.
   */
  record(): void {
    if (!this.exit || this.#isRecorded) return
    const { directory } = this.request
    const held = this.journal.held
    try {
      if (held) {
        const journal = held.toString('base64')
        writeFileSync(shortRecordPath(directory), JSON.stringify({ state: this.state, journal }), { mode: 0o600 })
      } else {
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        this.journal.close()
        writeFileSync(join(directory, exitFileName), JSON.stringify({ state: this.state }))
      }
      this.#isRecorded = true
    } catch (error) {
      if (!this.#hasLoggedFailure) logError(`Cannot record the exit of "${this.request.processId}": ${String(error)}`)
      this.#hasLoggedFailure = true
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function readPid(file: string): number {
  try {
    return Number(readFileSync(file, 'latin1'))
  } catch {
    return 0
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // The runtime failed before it created the file.
  }
}

/** A start takes milliseconds, or seconds on an overloaded host. A start that takes longer is blocked by the guest. */
const maxStartMs = 10_000
/** The descriptor from which the runtime reads the process object. */
const specFd = 3
/** Limit on input that the program has not read yet. */
const maxInputBytes = 4 * 1024 * 1024
const endOfTransmission = 4
