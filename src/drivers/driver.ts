import type { Duplex, Readable } from 'node:stream'
import type { HelperState } from '../helper-states.ts'

/**
 * Where computers run. The engine speaks to this interface alone; a driver declares what it can do in
 * `capabilities`, so that nothing above it has to ask which driver it is.
 *
 * Every method rejects with a `CarrelError`. Ids are chosen by the caller and are never reused.
 */
export interface Driver {
  readonly name: string
  readonly capabilities: DriverCapabilities
  readonly images: DriverImages

  /** Makes a computer that does not run yet. Creating an id that exists is an `already_exists`. */
  create(spec: ComputerSpec): Promise<void>
  /** Starts it; resolves when processes can be run. Starting a running computer does nothing. */
  start(id: string): Promise<void>
  /** TERM to everything in it, KILL after `graceMs`. Its files stay. Stopping a stopped one does nothing. */
  stop(id: string, graceMs: number): Promise<void>
  /** KILL to everything in it, but for what keeps it running and the processes that are named; what came of those is ended too. */
  endPrograms(id: string, exceptProcesses?: readonly string[]): Promise<void>
  /** Freezes every process; memory stays in use. */
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  /** Removes it and all it held. Destroying what is not there does nothing. */
  destroy(id: string): Promise<void>
  /** What really exists, whatever was recorded elsewhere. */
  list(): Promise<ExistingComputer[]>
  stats(id: string): Promise<ComputerStats>
  /**
   * CPU time used since the start, in microseconds; undefined where nothing runs or it cannot be told. At once and in some 10 microseconds: it is
   * asked each time something begins or ends.
   */
  cpuMicros(id: string): number | undefined
  /**
   * For how long, in milliseconds, something has run in it beside what keeps it running and the processes that `exec` started and that run:
   * what came of those counts, and of those that ended. undefined when there is nothing. Cheap enough to be asked every few seconds.
   */
  orphanedMs(id: string): Promise<number | undefined>

  /** Starts a process; resolves once it runs. `not_found` names a program or user that is missing. */
  exec(id: string, spec: ExecSpec): Promise<ProcessHandle>
  /** A process started before, by this server or by one before it; undefined when nothing is known of it. */
  process(processId: string): ProcessHandle | undefined
  /** Every process that runs, and every ended one that was not released. */
  processes(): ProcessHandle[]
  /** Reads what is kept of a process's output, running or ended. */
  output(processId: string, cursor: number): Promise<OutputChunk>
  /** The caller has recorded the exit; the process is no longer in `processes()`, its output stays readable. */
  release(processId: string): void
  /** Keeps that nothing can be known of the end of a process, beside what is kept of its output; or gives the end that is kept. */
  recordLost(process: LostProcess): Promise<ProcessHandle>
  /** Deletes the output of an ended process. */
  forget(processId: string): Promise<void>
  /** Ids of all processes of which output or an exit is kept. */
  retainedProcesses(): Promise<string[]>

  files(id: string): ComputerFiles
  /**
   * A TCP connection to a port inside the computer, on its loopback or its own address. With `onRead` what comes is handed to that at once
   * instead of by `data` events, in memory that is used again after it: cheaper for many small messages. Rejects with `upstream_unreachable`
   * when nothing takes it within `limits.dialTimeoutMs`, and when `signal` aborts.
   */
  dial(
    id: string,
    port: number,
    options?: { onRead?: ((bytes: Buffer) => void) | undefined; signal?: AbortSignal | undefined },
  ): Promise<Duplex>
  /** TCP sockets in the computer that wait for connections, by port. Cheap enough to be asked every now and then. */
  listeners(id: string): Promise<Listener[]>

  /** A point in time of the root file system. O(1) in what it holds where `capabilities.snapshots` is true. */
  snapshot(id: string, snapshotId: string): Promise<void>
  deleteSnapshot(snapshotId: string): Promise<void>
  snapshots(): Promise<string[]>

  /** Called when a computer's first process ends without `stop` or `destroy` having asked for it. */
  onStopped(listener: (id: string, reason: StopReason) => void): void
  /** Called when a process printed: each time for one that is followed, else from its second second on and at most once a second. */
  onOutput(listener: (process: ProcessHandle) => void): void
  metrics(): DriverMetrics
  /** What it cannot do without, and how each of that does; asks nobody. */
  health(): HelperState[]
  /** Lets go of what this server holds; computers and processes go on. */
  close(): Promise<void>
}

export interface DriverCapabilities {
  /** Copy-on-write snapshots and forks. */
  snapshots: boolean
  /** The kernel enforces `diskBytes`. */
  diskQuota: boolean
  pause: boolean
  /** `free`, `uptime` and `/proc/cpuinfo` inside show the computer's own limits. */
  ownProcView: boolean
  /** Sentences for the operator: what this host lacks, and what is lost by it. */
  limitations: string[]
}

export interface DriverMetrics {
  /** Prepared network namespaces that wait for a computer. */
  networkPool: number
  runningProcesses: number
  /** The disk on which everything lies: its size, what is free of it, what of that is for the server alone. */
  disk: { sizeBytes: number; freeBytes: number; reserveBytes: number }
  /** Output of running processes on the disk. */
  journalBytes: number
}

export interface ComputerSpec {
  id: string
  /** An image's id, or a snapshot to start from. */
  source: { image: string } | { snapshot: string }
  hostname: string
  limits: ComputerLimits
}

export interface ComputerLimits {
  /** Whole or part CPUs, > 0. */
  cpus: number
  memoryBytes: number
  diskBytes: number
  /** Processes and threads. */
  pids: number
}

export interface ExistingComputer {
  id: string
  running: boolean
  paused: boolean
}

export interface ComputerStats {
  memoryBytes: number
  memoryLimitBytes: number
  /** CPU time used since the start, in microseconds. */
  cpuMicros: number
  pids: number
  /** undefined where the storage cannot tell. */
  diskBytes: number | undefined
  diskLimitBytes: number
  /** Times that the kernel ended a process for lack of memory since the start. */
  oomKills: number
}

export type StopReason = 'exited' | 'oom' | 'lost'

export interface ExecSpec {
  /** Chosen by the caller, unique for ever. */
  processId: string
  /** At least one element; the first is looked up in PATH. */
  argv: string[]
  env: Record<string, string>
  cwd: string
  /** A name or numeric id known inside the computer, with an optional `:group`. */
  user: string
  /** Keeps stdin open for `write`; without it stdin is empty. */
  stdin: boolean
  tty?: { cols: number; rows: number }
  /** Its output waits for who follows it, as at a full pipe: it is held back rather than that any is dropped. */
  backpressure?: boolean
  /** The whole process tree is killed after this long; undefined is no limit. */
  timeoutMs?: number
  /** Kept with the process and handed back by `processes()`, also to a later server. */
  meta: Record<string, unknown>
  /** Whose output is bounded together with this one's; the computer's own alone when undefined. */
  owner?: string
}

export interface Listener {
  port: number
  /** As text, e.g. `127.0.0.1`, or `::` for all addresses. */
  address: string
  /** The process that it came of; undefined when that cannot be told. */
  processId: string | undefined
  /** Whether `dial` gets to it: not to one that is bound to an address of its own kind, such as 127.0.0.2. */
  reachable: boolean
}

/** Why somebody may say that they end a process. */
export type EndReason = 'out_of_credits' | 'spending_limit'

/** Why a process ended. `stopped` is by an end of its computer, `lost` when nothing can be known of it. */
export type ExitReason = 'exited' | 'signalled' | 'timeout' | 'oom' | 'disk_full' | 'stopped' | 'lost' | EndReason

export interface ProcessExit {
  reason: ExitReason
  /** 0–255 as the program gave it, 128 + signal when a signal ended it, null when `lost`. */
  exitCode: number | null
  /** e.g. `SIGKILL`, null when it exited by itself. */
  signal: string | null
  endedAtMs: number
  /** Bytes of output seen in all, of which the newest are kept. */
  outputBytes: number
  /** True when output was dropped for the cap. */
  truncated: boolean
  /** What is kept of it takes so much on the disk; undefined where that is not known. */
  keptBytes?: number
}

export interface ProcessHandle {
  readonly processId: string
  readonly computerId: string
  /** Process id inside the computer; 0 when it is not known. */
  readonly pid: number
  readonly startedAtMs: number
  /** After so long it is ended, counted from its start. */
  readonly timeoutMs: number | undefined
  readonly meta: Record<string, unknown>
  /** undefined while it runs. */
  readonly exit: ProcessExit | undefined
  /** True while nothing can be learned of it, nor done to it, because who supervises it does not answer. */
  readonly unresponsive: boolean
  /** Resolves at the end of the process with all of its kept output recorded. */
  wait(): Promise<ProcessExit>
  /**
   * Chunks from the cursor on, until the process has ended and all was read. `signal` ends the reading alone. The bytes of
   * a chunk that is `borrowed` are good until the next one is asked for; it has at most so many, by default and at most 1 MiB, at least 128 KiB.
   */
  follow(
    cursor: number,
    signal?: AbortSignal,
    options?: { borrowed?: boolean; maxChunkBytes?: number },
  ): AsyncIterable<OutputChunk>
  /** The cursor behind all that came as yet. */
  outputEnd(): Promise<number>
  /** Resolves when the bytes were taken; `conflict` when stdin is closed. */
  write(data: Uint8Array): Promise<void>
  closeStdin(): Promise<void>
  resize(cols: number, rows: number): Promise<void>
  /** `tree` reaches every process that came of it, not the first alone. Its exit tells `why`, where that is said. */
  kill(signal: NodeJS.Signals, scope: 'process' | 'tree', why?: EndReason): Promise<void>
}

/** What the caller has recorded of a process of which the driver knows nothing. */
export type LostProcess = Pick<ProcessHandle, 'processId' | 'computerId' | 'pid' | 'startedAtMs' | 'meta'>

export interface OutputChunk {
  records: OutputPiece[]
  /** Where to read on from. */
  cursor: number
  /** True when records before these were dropped for the cap. */
  truncated: boolean
  /** True when this is all there will ever be. */
  done: boolean
}

export interface OutputRecord {
  stream: 'stdout' | 'stderr'
  data: Buffer
}

export interface OutputPiece extends OutputRecord {
  /** The cursor before it, and behind it: where to read on. */
  start: number
  cursor: number
}

export interface FileInfo {
  name: string
  /** The name as it is when it is not UTF-8: `name` and `path` then only resemble it, and no path leads there. */
  nameBytes?: Buffer
  /** Absolute, inside the computer. */
  path: string
  type: 'file' | 'directory' | 'symlink' | 'other'
  sizeBytes: number
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
  modifiedAtMs: number
  target?: string
}

export interface ListOptions {
  /** Entries at most, > 0. */
  limit: number
  /** About how many bytes names, paths and targets may have; one entry always fits. */
  maxBytes: number
  /** The bytes of a name: entries behind it. */
  after?: Buffer | undefined
  /** Called before many entries are read. */
  beforeLarge?: () => Promise<void>
}

export interface FilePage {
  entries: FileInfo[]
  /** Where the next page begins, when this is not the last: its `after`. */
  next?: Buffer
}

/**
 * Files under a computer's root, running or stopped. Paths are absolute inside the computer; links are followed
 * within its root and never out of it. Writes belong to the computer's user and replace the file in one step.
 */
export interface ComputerFiles {
  stat(path: string): Promise<FileInfo>
  /** A page of a directory's entries, in the order of their names' bytes. What comes and goes meanwhile may be in it or not; nothing else is missed. */
  list(path: string, options: ListOptions): Promise<FilePage>
  /** The file must be a regular one. `range` is in bytes, end exclusive. The caller reads it out or destroys it. */
  read(path: string, range?: { start: number; end: number }): Promise<{ info: FileInfo; stream: Readable }>
  /** The same file for reading into buffers of one's own. The caller closes it. */
  open(path: string): Promise<OpenFile>
  /**
   * Parents are made. Rejects with `too_large` beyond `maxBytes`, `disk_full` when there is no room; the old file then stays. With
   * `ownsChunks` the chunks of a stream are given up for good: their memory goes back once they are written.
   */
  write(
    path: string,
    data: Readable | Uint8Array,
    options: { mode?: number; maxBytes: number; ownsChunks?: boolean },
  ): Promise<{ sizeBytes: number }>
  /**
   * The first half of a write, for data whose place may be known only after it: `path` is where it is expected to go, and a
   * place that cannot be taken is refused before the data is read. The caller closes it, placed or not.
   */
  stage(
    path: string | undefined,
    data: Readable,
    options: { maxBytes: number; ownsChunks?: boolean },
  ): Promise<StagedFile>
  /** All of them or none: each is written beside its place first, and those that have theirs are taken back when one fails. */
  writeMany(files: { path: string; data: Uint8Array; mode?: number }[]): Promise<number[]>
  /** Makes parents too; an existing directory is no error, a file there is an `already_exists`. */
  makeDirectory(path: string): Promise<void>
  remove(path: string, options: { recursive: boolean }): Promise<void>
  move(from: string, to: string): Promise<void>
  /** Rejects with `no_capacity` when the host can watch no more, with `limit_reached` when the tree is too large. */
  watch(path: string, options: WatchOptions): AsyncIterable<FileChange>
}

/** A new file that has no place yet. */
export interface StagedFile {
  readonly sizeBytes: number
  /** Parents are made; a file that is there is replaced in one step, and its owner and, without `mode`, its mode stay. */
  commit(path: string, mode?: number): Promise<void>
  /** Its content, for a place in another computer. */
  read(): Readable
  /** One that has no place is gone. */
  close(): Promise<void>
}

/** A regular file that is open for reading. It may grow and shrink meanwhile. */
export interface OpenFile {
  /** As it was when it was opened. */
  readonly info: FileInfo
  /** How many bytes from `position` on were put into the buffer; 0 at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>
  /** No read may be under way. */
  close(): void
}

export interface WatchOptions {
  /** Also what is in directories below, and in those that come. */
  recursive: boolean
  signal: AbortSignal
  /** Directories for which it is true are not looked into. */
  skip?: (path: string) => boolean
  /** What it is true for is told for itself too when a directory above it is renamed or goes. */
  reportSeparately?: (path: string) => boolean
}

/**
 * What happened below a watched directory. `ready` comes first: from then on nothing is missed. `overflow` says that
 * changes were lost. `gone` comes last, when the directory itself was deleted or moved away.
 */
export interface FileChange {
  type: 'ready' | 'create' | 'modify' | 'delete' | 'rename' | 'overflow' | 'gone'
  path: string
  /** For `rename`: what it was called before. */
  oldPath?: string
  directory: boolean
  /** For `rename`: true when something of the new name was there before. */
  replaced?: boolean
  /** For `overflow`: changes that were not handed to a slow reader; undefined when the kernel lost an unknown number. */
  dropped?: number
}

export interface DriverImages {
  list(): Promise<ImageInfo[]>
  /** Builds the recipe in a folder, unless an image of it exists; resolves with its id. `signal` ends a build that this call began. */
  build(recipeDirectory: string, progress: (step: BuildProgress) => void, signal?: AbortSignal): Promise<ImageInfo>
  /** Takes an image from an OCI layout, archive or registry reference that `skopeo` understands. */
  import(reference: string, progress: (step: BuildProgress) => void): Promise<ImageInfo>
  /** `conflict` while a computer uses it. */
  remove(id: string): Promise<void>
}

export interface ImageInfo {
  id: string
  name: string
  sizeBytes: number
  createdAtMs: number
  /** PATH and other variables that its processes start with. */
  env: Record<string, string>
  /** The user that processes run as unless another is asked for. */
  user: string
  workdir: string
  /** Programs that it was made to hold, by what they are for; undefined where nobody said. */
  tools?: Record<string, string[]> | undefined
}

export interface BuildProgress {
  /** What is being done, for a person. */
  step: string
  /** 0–1; undefined when it can't be told. */
  fraction?: number
}
