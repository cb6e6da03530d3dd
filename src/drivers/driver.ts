import type { Duplex, Readable, Writable } from 'node:stream'
import type { HelperState } from '../helper-states.ts'

/**
 * Where computers run. The engine uses only this interface. A driver declares what it can do in `capabilities`, so that
 * no caller has to know which driver it has.
 *
 * Every method rejects with a `CarrelError`. The caller chooses ids, and never reuses one.
 */
export interface Driver {
  readonly name: string
  readonly capabilities: DriverCapabilities
  readonly images: DriverImages

  /** Creates a computer without starting it. Rejects with `already_exists` when the id is taken. */
  create(spec: ComputerSpec): Promise<void>
  /** Starts a computer; resolves when it can run processes. Does nothing when the computer is running. */
  start(id: string): Promise<void>
  /**
   * Stops a computer: TERM to all of its processes, KILL after `graceMs`. The files stay. Does nothing when the
   * computer is stopped.
   */
  stop(id: string, graceMs: number): Promise<void>
  /**
   * Kills all processes of a computer except its init and `exceptProcesses`. Descendants of the excepted processes are
   * killed too.
   */
  endPrograms(id: string, exceptProcesses?: readonly string[]): Promise<void>
  /** Freezes all processes of a computer. Their memory stays in use. */
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  /** Removes a computer with everything that it holds. Does nothing when the computer does not exist. */
  destroy(id: string): Promise<void>
  /**
   * Returns a computer that exists on the host, whatever a database says; undefined when there is none. Costs the same
   * however many computers exist.
   */
  get(id: string): Promise<ExistingComputer | undefined>
  /**
   * Returns a page of the computers that exist on the host, ordered by the bytes of their ids. Only computers that are
   * created or destroyed between two pages can be missing; none is in two pages. Rejects with `invalid_request` for a
   * limit outside of 1 to `limits.driverPageItems`. `computerPages` goes through all pages.
   */
  list(options: PageOptions): Promise<ComputerPage>
  stats(id: string): Promise<ComputerStats>
  /**
   * Returns the CPU time used since the start, in microseconds, or undefined when the computer is not running or the
   * time cannot be read. Synchronous and fast (about 10 microseconds), as it is called whenever work begins or ends.
   */
  cpuMicros(id: string): number | undefined
  /**
   * Returns for how long, in milliseconds, an orphaned process has been running: one that is neither the computer's
   * init nor a running process that `exec` started. Descendants count, whether the process that `exec` started still
   * runs or has ended. undefined when there is none. Cheap enough to be called every few seconds.
   */
  orphanedMs(id: string): Promise<number | undefined>

  /** Starts a process; resolves once it runs. Rejects with `not_found` when the program or the user is missing. */
  exec(id: string, spec: ExecSpec): Promise<ProcessHandle>
  /**
   * Starts a process whose stdin and stdout are streams of this server alone: nothing that passes is kept or counted.
   * Its stderr is its output. The process reads the end of its stdin when this server ends. Rejects as `exec` does.
   */
  connect(id: string, spec: ConnectSpec): Promise<ConnectedProcess>
  /** Returns a process that this server or an earlier one started, or undefined when the driver does not know it. */
  process(processId: string): ProcessHandle | undefined
  /** Returns all running processes, and the ended ones that were not released, in the order of their start. */
  processes(): ProcessHandle[]
  /** Returns those of `processes()` that belong to one computer, without going through the others. */
  processesOn(id: string): ProcessHandle[]
  /** Reads the retained output of a running or ended process, from a cursor. */
  output(processId: string, cursor: number): Promise<OutputChunk>
  /** Drops an ended process from `processes()`, once the caller has recorded its exit. Its output stays readable. */
  release(processId: string): void
  /**
   * Records that a process is lost, next to its retained output. Returns the recorded exit instead when there is one.
   */
  recordLost(process: LostProcess): Promise<ProcessHandle>
  /** Deletes the output of an ended process. */
  forget(processId: string): Promise<void>
  /**
   * Yields the ids of all processes whose output or exit is retained, in no particular order. Only processes that start
   * or are forgotten meanwhile can be missing. Needs the same memory however many there are.
   */
  retainedProcesses(): AsyncIterable<string>

  files(id: string): ComputerFiles
  /**
   * Shows a running computer small files by their names, in `serverFilesPath`. They belong to its root, are read-only
   * inside, take none of its disk, and are gone when it stops. A file of the same name is replaced, others stay. Rejects
   * with `conflict` when the computer does not run, or was started by a server that had no such files.
   */
  showFiles(id: string, files: ShownFiles): Promise<void>
  /**
   * Opens a TCP connection to a port inside the computer, on its loopback or its own address. With `onRead`, received
   * bytes are passed to that callback instead of `data` events, in a buffer that is reused once the callback returns:
   * cheaper for many small messages. Rejects with `upstream_unreachable` when nothing accepts within
   * `limits.dialTimeoutMs`, and when `signal` aborts; `details.reason` is `nothing_listens`, `not_accepting` or
   * `not_running`.
   */
  dial(
    id: string,
    port: number,
    options?: { onRead?: ((bytes: Buffer) => void) | undefined; signal?: AbortSignal | undefined },
  ): Promise<Duplex>
  /** Returns the listening TCP sockets of a computer, in ascending order of ports. Cheap enough for regular polling. */
  listeners(id: string): Promise<Listener[]>

  /**
   * Gives a computer other limits. Returns false, and changes nothing, when a running computer uses more memory than it
   * would have, so that it has to be stopped first; otherwise the limits hold at once. What depends on the size of the
   * memory at the start, such as the size of `/dev/shm`, follows at the next start. Rejects with `conflict` when its
   * disk holds more than it may then.
   */
  resize(id: string, limits: ComputerLimits): Promise<boolean>

  /**
   * Takes a snapshot of the root file system, in constant time where `capabilities.snapshots` is true. What a running
   * computer has written goes to the disk first, while its programs run; then they are frozen for the moment of the
   * snapshot, however much that was.
   */
  snapshot(id: string, snapshotId: string): Promise<SnapshotTaken>
  /**
   * Replaces the files of a stopped computer, and the image below them, by those of a snapshot. Afterwards they are
   * wholly of the snapshot or, when this fails, what they were. Rejects with `conflict` when the computer runs, and with
   * `not_found` or `image_missing` as `create` does.
   */
  restore(id: string, snapshotId: string): Promise<void>
  /** Returns what a snapshot holds; undefined when it does not exist or the storage does not count it. */
  snapshotUse(snapshotId: string): Promise<StorageUse | undefined>
  deleteSnapshot(snapshotId: string): Promise<void>
  /**
   * Returns a snapshot as a stream, from which another node's driver can make the same snapshot. It is written in the
   * first of this driver's `capabilities.snapshotFormats` that is one of `formats`: those of the importing driver. Rejects
   * with `not_found`, with `invalid_request` when the formats have none in common, and with `no_capacity` while
   * `limits.snapshotTransfers` run. The stream fails with `not_found` when the snapshot is deleted meanwhile, with
   * `conflict` when a path in it is too long to be packed or the whole takes too much memory or time, and with
   * `unavailable` when it is read too slowly (`limits.stalledTransferMs`, `limits.transferBytesPerSecond`), takes longer
   * than `limits.transferMs`, or the driver is closed; destroying it ends the export.
   */
  exportSnapshot(snapshotId: string, formats: readonly SnapshotFormat[]): Promise<Readable>
  /**
   * Makes a snapshot from the stream of another's `exportSnapshot`; it is on the disk when this resolves. Everything but
   * sockets is the same: owners, modes, times, attributes, links, holes, deletions. Of a failed import nothing stays. The
   * stream is read to its end or destroyed. Rejects with `already_exists`; with `image_missing` when the image that the
   * snapshot lies over does not exist here; with `invalid_request` when the stream is damaged or cannot be unpacked, and
   * when it arrives too slowly; with `unavailable` as an export does; with `too_large` beyond `maxBytes` of content; with
   * `no_capacity` when the disk is nearly full or `limits.snapshotTransfers` run.
   */
  importSnapshot(snapshotId: string, stream: Readable, options: { maxBytes: number }): Promise<void>
  /** Returns a page of the snapshots' ids, as `list` does for computers. `snapshotPages` goes through all pages. */
  snapshots(options: PageOptions): Promise<SnapshotPage>

  /** Calls the listener when a computer's first process ends without a `stop` or `destroy`. */
  onStopped(listener: (id: string, reason: StopReason) => void): void
  /**
   * Calls the listener when a process has printed: each time for a followed process, otherwise at most once a second
   * and not in the first second.
   */
  onOutput(listener: (process: ProcessHandle) => void): void
  metrics(): DriverMetrics
  /** Returns the last reported state of each helper that the driver depends on, without probing any. */
  health(): HelperState[]
  /** Releases what this server holds. Computers and processes continue to run. */
  close(): Promise<void>
}

export interface DriverCapabilities {
  /** Copy-on-write snapshots and forks. */
  snapshots: boolean
  /** What `importSnapshot` reads, the fastest first. `exportSnapshot` writes the same. */
  snapshotFormats: readonly SnapshotFormat[]
  /** The kernel enforces `diskBytes`. */
  diskQuota: boolean
  pause: boolean
  /** `free`, `uptime` and `/proc/cpuinfo` inside show the computer's own limits. */
  ownProcView: boolean
  /** Sentences for the operator: what this host lacks, and the consequence. */
  limitations: string[]
}

/**
 * How the content of an exported snapshot is written. Every driver with a kernel reads `tar`; `btrfs` is the stream of
 * `btrfs send`.
 */
export type SnapshotFormat = 'btrfs' | 'tar' | 'memory'

export interface DriverMetrics {
  /** Network namespaces that are prepared and free. */
  networkPool: number
  runningProcesses: number
  /** The disk of the data directory: its size, its free space, and how much of that is reserved for the server. */
  disk: { sizeBytes: number; freeBytes: number; reserveBytes: number }
  /** Bytes that the output of running processes takes on the disk. */
  journalBytes: number
}

export interface ComputerSpec {
  id: string
  /** The id of the image or the snapshot that the files come from. */
  source: { image: string } | { snapshot: string }
  hostname: string
  limits: ComputerLimits
}

export interface ComputerLimits {
  /** Whole or part CPUs, > 0. */
  cpus: number
  memoryBytes: number
  diskBytes: number
  /** Maximum number of processes and threads. */
  pids: number
}

export interface ExistingComputer {
  id: string
  running: boolean
  paused: boolean
}

export interface PageOptions {
  /** Maximum number of items, from 1 to `limits.driverPageItems`. */
  limit: number
  /** The page begins after this id, which need not exist; with the first one when undefined. */
  after?: string | undefined
}

export interface ComputerPage {
  computers: ExistingComputer[]
  /** The `after` of the next page; undefined on the last one. */
  next?: string
}

export interface SnapshotPage {
  ids: string[]
  /** The `after` of the next page; undefined on the last one. */
  next?: string
}

/** Bytes of a computer's own layer, without its image. */
export interface StorageUse {
  usedBytes: number
  /** The part that no other computer and no snapshot has. */
  exclusiveBytes: number
}

export interface SnapshotTaken {
  /** For how long the programs stood still, in milliseconds; 0 for a computer that did not run. */
  pausedMs: number
  /** What the computer held at that moment, before it shared all of it with the snapshot; undefined where not counted. */
  use: StorageUse | undefined
}

export interface ComputerStats {
  memoryBytes: number
  memoryLimitBytes: number
  /** CPU time used since the start, in microseconds. */
  cpuMicros: number
  pids: number
  /** undefined where the storage does not count it. */
  diskBytes: number | undefined
  /** The part of `diskBytes` that no other computer and no snapshot has. */
  exclusiveDiskBytes: number | undefined
  diskLimitBytes: number
  /** How many processes the kernel has killed for lack of memory since the start. */
  oomKills: number
}

export type StopReason = 'exited' | 'oom' | 'lost'

export interface ExecSpec {
  /** Chosen by the caller, and never reused. */
  processId: string
  /** At least one element; the first is looked up in PATH. */
  argv: string[]
  env: Record<string, string>
  cwd: string
  /** A user name or numeric id of the computer, with an optional `:group`. */
  user: string
  /** Whether stdin stays open for `write`; otherwise it is empty. */
  stdin: boolean
  tty?: { cols: number; rows: number }
  /** The process waits for the reader of its output, as on a full pipe, so that no output is dropped. Default false. */
  backpressure?: boolean
  /** The whole process tree is killed after this time; undefined for no limit. */
  timeoutMs?: number
  /** Stored with the process; `processes()` returns it, to a later server too. */
  meta: Record<string, unknown>
  /** Processes of one owner share a limit on retained output; undefined for the limit of the computer alone. */
  owner?: string
}

/** What `connect` starts: a program without a terminal. */
export type ConnectSpec = Omit<ExecSpec, 'stdin' | 'tty' | 'backpressure'>

export interface ConnectedProcess {
  process: ProcessHandle
  stdin: Writable
  /** Ends when the process and everything that it passed its stdout to have closed it. */
  stdout: Readable
}

/** Files by their names, each with its permissions. */
export type ShownFiles = Readonly<Record<string, { content: string; mode: number }>>

/** The directory inside a computer with the files of `showFiles`. */
export const serverFilesPath = '/dev/.server'

export interface Listener {
  port: number
  /** In text form, such as `127.0.0.1`, or `::` for all addresses. */
  address: string
  /** The process that started the listener, itself or through descendants; undefined when unknown. */
  processId: string | undefined
  /** Whether `dial` can connect to it: false when it is bound to any other address, such as 127.0.0.2. */
  reachable: boolean
}

/** The reasons that a caller of `kill` can give. `disconnected`: the client that waited for the process has left. */
export type EndReason = 'out_of_credits' | 'spending_limit' | 'disconnected'

/** Why a process ended. `stopped`: its computer was stopped. `lost`: the end was not observed. */
export type ExitReason = 'exited' | 'signalled' | 'timeout' | 'oom' | 'disk_full' | 'stopped' | 'lost' | EndReason

export interface ProcessExit {
  reason: ExitReason
  /** The program's exit code (0–255), 128 + signal number when a signal ended it, null when `lost`. */
  exitCode: number | null
  /** Such as `SIGKILL`; null when the program exited by itself. */
  signal: string | null
  endedAtMs: number
  /** Total bytes of output; the newest of them are retained. */
  outputBytes: number
  /** True when output was dropped because of a limit. */
  truncated: boolean
  /** Bytes that the retained output takes on the disk; undefined when unknown. */
  keptBytes?: number
}

export interface ProcessHandle {
  readonly processId: string
  readonly computerId: string
  /** Process id inside the computer; 0 when unknown. */
  readonly pid: number
  readonly startedAtMs: number
  /** The time limit, counted from the start. */
  readonly timeoutMs: number | undefined
  readonly meta: Record<string, unknown>
  /** undefined while the process runs. */
  readonly exit: ProcessExit | undefined
  /** True while its supervisor does not answer, so that the process can be neither observed nor controlled. */
  readonly unresponsive: boolean
  /** Resolves when the process has ended and its retained output is recorded. */
  wait(): Promise<ProcessExit>
  /**
   * Yields chunks of output from the cursor on, until the process has ended and everything is read. `signal` stops the
   * reading, not the process. With `borrowed`, the bytes of a chunk are valid only until the next chunk is requested,
   * and a chunk has at most `maxChunkBytes`: 128 KiB to 1 MiB, 1 MiB by default.
   */
  follow(
    cursor: number,
    signal?: AbortSignal,
    options?: { borrowed?: boolean; maxChunkBytes?: number },
  ): AsyncIterable<OutputChunk>
  /** Returns the cursor after all output so far. */
  outputEnd(): Promise<number>
  /** Writes to stdin; resolves when the bytes are accepted. Rejects with `conflict` when stdin is closed. */
  write(data: Uint8Array): Promise<void>
  closeStdin(): Promise<void>
  resize(cols: number, rows: number): Promise<void>
  /**
   * Sends a signal to the process, or with `tree` to all of its descendants as well. A `reason` becomes the reason of
   * its exit.
   */
  kill(signal: NodeJS.Signals, scope: 'process' | 'tree', reason?: EndReason): Promise<void>
}

/** What the caller has recorded about a process that the driver does not know. */
export type LostProcess = Pick<ProcessHandle, 'processId' | 'computerId' | 'pid' | 'startedAtMs' | 'meta'>

export interface OutputChunk {
  records: OutputPiece[]
  /** Where the next read begins. */
  cursor: number
  /** True when output before these records was dropped because of a limit. */
  truncated: boolean
  /** True when no more output can come. */
  done: boolean
}

export interface OutputRecord {
  stream: 'stdout' | 'stderr'
  data: Buffer
}

export interface OutputPiece extends OutputRecord {
  /** The cursor before this piece. */
  start: number
  /** The cursor after it, where the next read begins. */
  cursor: number
}

export interface FileInfo {
  name: string
  /**
   * The bytes of a name that is not UTF-8. `name` and `path` are then approximations, and no path leads to the entry.
   */
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
  /** The target of a symbolic link. */
  target?: string
}

export interface ListOptions {
  /** Maximum number of entries, > 0. */
  limit: number
  /** Approximate maximum for the bytes of names, paths and targets together. A page always has room for one entry. */
  maxBytes: number
  /** The bytes of a name: the page begins after it. */
  after?: Buffer | undefined
  /** Called before a large directory is read. */
  beforeLarge?: () => Promise<void>
}

export interface FilePage {
  entries: FileInfo[]
  /** The `after` of the next page; undefined on the last one. */
  next?: Buffer
}

/**
 * Files of a running or stopped computer. Paths are absolute inside the computer. Symbolic links are followed within
 * its root and never out of it. Written files belong to the computer's user, and replace an existing file atomically.
 */
export interface ComputerFiles {
  /**
   * Returns the same files, limited to a directory: what lies outside of it, whatever path or link leads there, is
   * refused with `invalid_request`, and so is the removal of the directory itself.
   */
  below(directory: string): ComputerFiles
  /** `followLinks` is true by default; otherwise a link at the end of the path is described itself. */
  stat(path: string, options?: { followLinks?: boolean }): Promise<FileInfo>
  /**
   * Returns a page of a directory's entries, ordered by the bytes of their names. Only entries that are created or
   * deleted meanwhile can be missing.
   */
  list(path: string, options: ListOptions): Promise<FilePage>
  /**
   * Reads a regular file. `range` is in bytes, end exclusive. The caller reads the stream to its end or destroys it.
   */
  read(path: string, range?: { start: number; end: number }): Promise<{ info: FileInfo; stream: Readable }>
  /** Opens a regular file for reading into the caller's buffers. The caller closes it. */
  open(path: string): Promise<OpenFile>
  /**
   * Writes a file, and creates missing parent directories. Rejects with `too_large` beyond `maxBytes` and with
   * `disk_full` when there is no room; an existing file then stays unchanged. With `ownsChunks` the callee owns the
   * chunks of a stream, and frees their memory once they are written.
   */
  write(
    path: string,
    data: Readable | Uint8Array,
    options: { mode?: number; maxBytes: number; ownsChunks?: boolean },
  ): Promise<{ sizeBytes: number }>
  /**
   * Writes data whose path may become known only after it; `commit` is the second step. When `path` is given, the file
   * is expected to go there, and a path that cannot be written is refused before the data is read. The caller always
   * closes the staged file.
   */
  stage(
    path: string | undefined,
    data: Readable,
    options: { maxBytes: number; ownsChunks?: boolean },
  ): Promise<StagedFile>
  /**
   * Writes all files or none: each is first written next to its target, and when one fails, those that were already
   * replaced are restored. Returns their sizes in bytes.
   */
  writeMany(files: { path: string; data: Uint8Array; mode?: number }[]): Promise<number[]>
  /**
   * Writes a part of a file in place, and not atomically. Creates a missing file, and fills a gap before `offset` with
   * zeros.
   */
  writeRange(path: string, data: Uint8Array, options: { offset: number }): Promise<void>
  /**
   * Creates a directory and its missing parents. Does nothing when it exists. Rejects with `already_exists` when the
   * path is a file. `mode` is that of the directory, if it is new; 0755 by default. With `mustBeNew`, rejects with
   * `already_exists` when the path exists, and with `not_found` when its parent does not.
   */
  makeDirectory(path: string, options?: { mode?: number | undefined; mustBeNew?: boolean }): Promise<void>
  remove(path: string, options: { recursive: boolean }): Promise<void>
  move(from: string, to: string): Promise<void>
  /**
   * Searches a file, or the files of a directory and of those below it, for lines that match, as ripgrep does: in the
   * order of paths, without hidden and binary files, without what `.gitignore`, `.ignore` and `.rgignore` name, and
   * without following links. Rejects with `invalid_request` for a pattern that is not a regular expression of ripgrep,
   * and with `not_set_up` where the host has no ripgrep.
   */
  search(path: string, query: SearchQuery): Promise<SearchResult>
  /** Throws `no_capacity` when the host can watch no more, and `limit_reached` when the tree is too large. */
  watch(path: string, options: WatchOptions): AsyncIterable<FileChange>
}

export interface SearchQuery {
  pattern: string
  /** Whether the pattern is a regular expression; otherwise it is the text to find. */
  isRegex: boolean
  ignoresCase: boolean
  maxMatches: number
  /** Approximate maximum for the bytes of paths and lines together. */
  maxBytes: number
  /** The search ends after this time, with what was found. */
  timeoutMs: number
  signal?: AbortSignal | undefined
}

export interface SearchResult {
  matches: SearchMatch[]
  /** Whether the search ended before everything was searched. */
  truncated: boolean
}

/** A line that matches. */
export interface SearchMatch {
  path: string
  /** The number of the line; the first is 1. */
  line: number
  /** The line without its end; cut off where it is very long. */
  text: string
}

/** A new file without a path. */
export interface StagedFile {
  readonly sizeBytes: number
  /**
   * Puts the file at a path, and creates missing parent directories. An existing file is replaced atomically; its owner
   * stays, and so does its mode unless `mode` is given.
   */
  commit(path: string, mode?: number): Promise<void>
  /** Returns the content, to be written to another computer. */
  read(): Readable
  /** Closes the file. One that was not committed is deleted. */
  close(): Promise<void>
}

/** A regular file that is open for reading. It may grow or shrink meanwhile. */
export interface OpenFile {
  /** Its state when it was opened. */
  readonly info: FileInfo
  /** Reads from `position` into the buffer. Returns the number of bytes read, 0 at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>
  /** Must not be called while a read is in progress. */
  close(): void
}

export interface WatchOptions {
  /** Whether subdirectories are watched too, including new ones. */
  recursive: boolean
  signal: AbortSignal
  /** Returns true for directories that are not to be watched. */
  skip?: (path: string) => boolean
  /** Returns true for paths that get a change of their own when a directory above them is renamed or deleted. */
  reportSeparately?: (path: string) => boolean
}

/**
 * A change below a watched directory. `ready` comes first: no later change is missed. `overflow` reports lost changes.
 * `gone` comes last, when the directory itself was deleted or moved away.
 */
export interface FileChange {
  type: 'ready' | 'create' | 'modify' | 'delete' | 'rename' | 'overflow' | 'gone'
  path: string
  /** For `rename`: the path before it. */
  oldPath?: string
  directory: boolean
  /** For `rename`: true when the new path existed before. */
  replaced?: boolean
  /**
   * For `overflow`: the number of changes that a slow reader missed; undefined when the kernel lost an unknown number.
   */
  dropped?: number
}

export interface DriverImages {
  list(): Promise<ImageInfo[]>
  /** Returns the id that the image of the recipe in a folder has, whether it has been built or not. */
  idOf(recipeDirectory: string): Promise<string>
  /**
   * Builds the recipe in a folder, and the one that it is built on, unless their images exist. `signal` aborts a build
   * that this call has begun. With `background`, the programs of that build yield to all others of the host.
   */
  build(
    recipeDirectory: string,
    progress: (step: BuildProgress) => void,
    options?: { signal?: AbortSignal | undefined; background?: boolean },
  ): Promise<ImageInfo>
  /** Imports an image from an OCI layout, an archive or a registry: any reference that `skopeo` accepts. */
  import(reference: string, progress: (step: BuildProgress) => void): Promise<ImageInfo>
  /** Keeps an image from being removed, also by another program of the host, until the driver is closed. */
  keep(id: string): Promise<void>
  /** Rejects with `conflict` while a computer, a snapshot, another image or a server uses the image. */
  remove(id: string): Promise<void>
}

export interface ImageInfo {
  id: string
  name: string
  sizeBytes: number
  createdAtMs: number
  /** Environment variables of its processes, such as PATH. */
  env: Record<string, string>
  /** The user of its processes unless another is requested. */
  user: string
  workdir: string
  /** The programs that its recipe declares, by purpose; undefined when it declares none. */
  tools?: Record<string, string[]> | undefined
}

export interface BuildProgress {
  /** The current step, for display to a user. */
  step: string
  /** 0–1; undefined when unknown. */
  fraction?: number
}
