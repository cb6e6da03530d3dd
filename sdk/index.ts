export type { Balance, Health, Me, Usage, UsageLimit, UsageLine, UsageOptions } from './account.ts'
export type {
  AddDatasetOptions,
  AddedDataset,
  Dataset,
  Datasets,
  RemovedSamples,
  Sample,
  SampleFilter,
  SamplePage,
} from './datasets.ts'
export type { Deletion } from './deletion.ts'
export { Carrel } from './client.ts'
export type { CarrelOptions } from './client.ts'
export type { CallOptions, RequestOptions } from './context.ts'
export type { AccessKind, AccessSession, AccessSessions, NewAccessSessionOptions } from './computers/access-sessions.ts'
export type {
  BegunFork,
  BegunOnComputer,
  BegunResize,
  Capacity,
  Computer,
  ComputerConnection,
  ComputerUsage,
  SshCredentials,
} from './computers/computer.ts'
export type {
  CapacityOptions,
  ComputerNames,
  ComputerSize,
  CreateComputerOptions,
  ForkOptions,
  RepeatableOptions,
  ResizeOptions,
  RestoreOptions,
} from './computers/computer-options.ts'
export type { ComputerPorts, PublishedPort, PublishOptions, Visibility } from './computers/computer-ports.ts'
export type { Computers } from './computers/computers.ts'
export type { ComputerOperation, WaitOptions } from './computers/operation.ts'
export type { NewShareOptions, Share, Shares } from './computers/shares.ts'
export type { BegunOnSnapshot, Snapshot, Snapshots } from './computers/snapshots.ts'
export {
  CarrelApiError,
  CarrelConnectionError,
  CarrelError,
  CarrelOperationError,
  CarrelTimeoutError,
} from './errors.ts'
export type {
  ExecExit,
  ExecProgram,
  ExitReason,
  Language,
  OutputChannel,
  SignalScope,
  TerminalSize,
} from './exec-messages.ts'
export type { ExecResult } from './exec-result.ts'
export type { AttachOptions, ExecOptions, ExecSession } from './exec-session.ts'
export type { WebSocketConstructor, WebSocketLike } from './exec-socket.ts'
export type { ExecuteAnswer, ExecuteEvent, ExecuteOptions, ExecuteResult, ExecuteStatus } from './execute.ts'
export type { FileContent, FileEntry, Files, ListOptions, WriteOptions, WrittenFile } from './files.ts'
export type { ApiKey, Keys, NewApiKey, NewKeyOptions } from './keys.ts'
export type { LimitChange, Limits, SpendingLimits } from './limits.ts'
export type { Session } from './sign-in.ts'
export type { Memory, MemoryEntry, MemoryUsage } from './memory.ts'
export type { InterpretAnswer, InterpretOptions, InterpretResult } from './interpret.ts'
export type { ExecOutput } from './output-queue.ts'
export type { ExposedPort } from './ports.ts'
export type {
  ListeningPort,
  Processes,
  ProcessInfo,
  ProcessLogs,
  ProcessStatus,
  StartedProcess,
  StartOptions,
} from './processes.ts'
export type { Sandbox, SandboxPort } from './sandboxes.ts'
export type { Sessions, SignInSession } from './sessions.ts'
export type { TopUp, TopUpOffer, TopUpOptions } from './top-up.ts'
export type { WatchEvent, WatchOptions } from './watch.ts'
export type {
  Invitation,
  InvitationOffer,
  Member,
  Role,
  Workspace,
  WorkspaceDeletion,
  WorkspaceList,
  Workspaces,
} from './workspaces.ts'
