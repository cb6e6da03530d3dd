import type { Task } from '../../task.ts'

/** A task as a format's reader returns it. */
export interface ReadTask {
  task: Task
  /** Returns whether an agent may see a file of the task. The path is relative to the task's folder. */
  isVisible: (path: string) => boolean
}

/** The parts of a task that only some formats have. */
export const noTexts = {
  description: '',
  problemStatement: '',
  repo: '',
  language: '',
  baseCommit: '',
  environmentSetupCommit: '',
  patch: '',
  testPatch: '',
  nonCodePatch: '',
  hintsText: '',
  failToPass: [],
  passToPass: [],
  failToFail: [],
} satisfies Partial<Task>

/** What a task without these parts has. */
export const noParts = {
  solution: null,
  steps: [],
  stepsReward: null,
  artifacts: [],
} satisfies Partial<Task>

/** An environment that asks for nothing. */
export const plainEnvironment = {
  workdir: null,
  user: null,
  env: {},
  cpus: null,
  memoryBytes: null,
  storageBytes: null,
  network: 'public',
  buildTimeoutMs: 600_000,
  healthcheck: null,
} satisfies Partial<Task['environment']>

/** Returns a test for paths at or below one of these. */
export function below(...roots: string[]): (path: string) => boolean {
  return (path) => roots.some((root) => path === root || path.startsWith(`${root}/`))
}
