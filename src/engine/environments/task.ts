/**
 * A task of a dataset in the one form that every format is read into, as JSON in the row of its sample. Paths are
 * relative to the directory of the version (see `FoundSample`), have no leading `./`, and lead to files that were there
 * when the task was added. A format's own names are in the comments: Harbor's `task.toml` (schema 1.3), Terminal-Bench
 * 1's `task.yaml`, the rows and the task folders of SWE-bench, and the plain format of docs/DATASETS.md.
 */
export interface Task {
  format: TaskFormat
  /**
   * The dataset's own name of the task: Harbor `task.name` (such as `org/name`, else the folder's name), SWE-bench
   * `instance_id`, otherwise the folder's name. The sample's id is what a URL can hold of it.
   */
  instanceId: string
  /** Harbor `task.description`, plain `description`; '' if there is none. */
  description: string
  /**
   * What the agent has to do: Harbor and plain `instruction.md` (without leading canary lines), Terminal-Bench
   * `instruction`, SWE-bench `problem_statement`. With steps, the first step's instruction.
   */
  problemStatement: string
  /** SWE-bench `repo`, such as `owner/name`; '' in other formats. */
  repo: string
  /** The programming language: SWE-bench `language` or `repo_language`, Harbor `metadata.language`; '' if unknown. */
  language: string
  /** SWE-bench `base_commit`; '' in other formats. */
  baseCommit: string
  /** SWE-bench `environment_setup_commit`; '' in other formats. */
  environmentSetupCommit: string
  /** The reference solution as a diff: SWE-bench `patch`; '' in other formats. Agents never see it. */
  patch: string
  /** The diff that brings the tests: SWE-bench `test_patch`; '' in other formats. Agents never see it. */
  testPatch: string
  /** SWE-bench-like rows with `non_code_patch`; '' in other formats. */
  nonCodePatch: string
  /** SWE-bench `hints_text`; '' in other formats. */
  hintsText: string
  /** Names of tests that fail before the solution and pass after it: SWE-bench `FAIL_TO_PASS`. */
  failToPass: string[]
  /** Names of tests that pass before and after: SWE-bench `PASS_TO_PASS`. */
  passToPass: string[]
  /** Names of tests that fail before and after: SWE-bench-like rows with `FAIL_TO_FAIL`. */
  failToFail: string[]
  environment: TaskEnvironment
  agent: {
    /** Harbor `agent.timeout_sec`, Terminal-Bench `max_agent_timeout_sec`, plain `agent_timeout_s`; null: no limit. */
    timeoutMs: number | null
    /** Who runs the agent's commands: Harbor `agent.user`; null: `environment.user`. */
    user: string | null
  }
  verifier: TaskVerifier
  /** How the reference solution is run; null if the task has none. */
  solution: TaskSolution | null
  /** Harbor `[[steps]]`, in order; empty for a task without steps, whose parts are those of the task itself. */
  steps: TaskStep[]
  /** How rewards of the steps become one: Harbor `multi_step_reward_strategy`. Not null if and only if there are steps. */
  stepsReward: 'mean' | 'final' | null
  /** Files and folders (absolute, in the container) that are kept of a run or handed to a separate verifier. */
  artifacts: TaskArtifact[]
}

export type TaskFormat = 'harbor' | 'terminal-bench' | 'swe-bench' | 'plain'

/** What the agent's container is made of. */
export interface TaskEnvironment {
  source: EnvironmentSource
  /**
   * Where commands start: Harbor `environment.workdir`, plain `workdir`, SWE-bench `/testbed`; null: the image's own.
   */
  workdir: string | null
  /** Plain `user`; null: the image's own. */
  user: string | null
  /** Harbor `environment.env`, plain `env`; `${NAME:-default}` is already replaced. */
  env: Record<string, string>
  /** null: the server's default. */
  cpus: number | null
  memoryBytes: number | null
  storageBytes: number | null
  /** Which hosts can be reached while the agent works, and while the tests run unless the verifier says otherwise. */
  network: TaskNetwork
  /** Harbor `environment.build_timeout_sec` (600 s by default), plain `build_timeout_s`. */
  buildTimeoutMs: number
  /** Must succeed before the agent begins: Harbor `environment.healthcheck`, plain `healthcheck`. */
  healthcheck: TaskHealthcheck | null
}

/**
 * The image of a container: a Dockerfile with the folder that is its context, both paths ('' for the whole task), or an
 * image's name. `exclude`: files and folders, relative to the context, that must not get into it: tests and solution.
 */
export type EnvironmentSource = { dockerfile: string; context: string; exclude: string[] } | { image: string }

/** `allow`: lower-case host names, `*.example.com` for all names below one, and addresses. */
export type TaskNetwork = 'public' | 'none' | { allow: string[] }

/** Run by a shell in the container until it exits with 0, as Docker does. */
export interface TaskHealthcheck {
  command: string
  intervalMs: number
  timeoutMs: number
  /** Failures within it do not count as retries. */
  startPeriodMs: number
  /** Between checks within the start period. */
  startIntervalMs: number
  retries: number
}

/** How work is judged. `kind` says how the tests are run and how their verdict is read. */
export type TaskVerifier = HarborVerifier | TerminalBenchVerifier | SweBenchVerifier | PlainVerifier

interface VerifierBase {
  /** Harbor `verifier.timeout_sec` (600), Terminal-Bench `max_test_timeout_sec` (60), plain `test_timeout_s` (600). */
  timeoutMs: number
  /** Harbor `verifier.env`, replaced like the environment's. The agent never sees it. */
  env: Record<string, string>
  /** Harbor `verifier.user`; null: root. */
  user: string | null
  /**
   * Where the tests run: in a fork of the session (`fork`), in a pristine copy with the diff of the work tree alone
   * (`patch`, the default of SWE-bench), or in an environment of its own with the task's artifacts alone (`artifacts`,
   * Harbor's `environment_mode = "separate"`).
   */
  mode: 'fork' | 'patch' | 'artifacts'
  /** null: `environment.network`. */
  network: TaskNetwork | null
}

/**
 * Harbor: the folder `tests` is put at `/tests`, `/tests/test.sh` is run, and its exit code is ignored:
 * `/logs/verifier/reward.json`, else `reward.txt`, is the verdict.
 */
export interface HarborVerifier extends VerifierBase {
  kind: 'harbor'
  /** The folder whose content becomes `/tests`; null if every step has one. */
  tests: string | null
  /** Of a separate verifier (`mode: 'artifacts'`), what its container is made of; otherwise null. */
  environment: TaskEnvironment | null
}

/** Terminal-Bench 1: `tests` is put at `/tests` (`TEST_DIR`), `script` is run, and pytest's short summary is read. */
export interface TerminalBenchVerifier extends VerifierBase {
  kind: 'terminal-bench'
  /** The folder whose content becomes `/tests`; null if the task has none. */
  tests: string | null
  /** `run-tests.sh`. */
  script: string
  parser: 'pytest'
  /** `run_tests_in_same_shell`: the tests inherit the directory and the variables of the agent's shell. */
  sameShell: boolean
}

/**
 * SWE-bench: the task's `testPatch` is applied in the work directory, the tests are run, and a log parser reads the
 * outcome of each test, which `failToPass` and `passToPass` are compared with.
 */
export interface SweBenchVerifier extends VerifierBase {
  kind: 'swe-bench'
  /** `eval.sh` of a task folder or the row's `eval_script`: prints the log between its markers; null: `testCommand`. */
  script: { path: string } | { text: string } | null
  /** The row's `test_cmd` or `test_cmds`, or the command that SWE-bench has for `repo`; the names of tests follow it. */
  testCommand: string | null
  /** The log parser: the row's `log_parser`, or that of `repo`: `pytest`, `django`, `sympy`, … */
  logParser: string
  /** The row's `version`: SWE-bench chooses commands by it. */
  repoVersion: string
}

/** Plain: `tests` is put at `/tests`, `script` is run in the work directory, and exit code 0 passes. */
export interface PlainVerifier extends VerifierBase {
  kind: 'plain'
  tests: string
  script: string
}

/** The reference solution: a script whose folder is put at `/solution`, or the task's `patch` (SWE-bench). */
export type TaskSolution =
  | { kind: 'script'; script: string; folder: string; env: Record<string, string> }
  | { kind: 'patch' }

/** One step of a task of several steps (Harbor `steps/<name>/`). What is null is the task's own. */
export interface TaskStep {
  name: string
  instruction: string
  /** The folder whose content is put over the task's `tests` at `/tests`; null if there is none. */
  tests: string | null
  solution: TaskSolution | null
  /** A folder that is put in the work directory before the step; its `setup.sh` is then run, if there is one. */
  workdir: string | null
  agentTimeoutMs: number | null
  verifierTimeoutMs: number | null
  verifierEnv: Record<string, string> | null
  healthcheck: TaskHealthcheck | null
  /** A reward below it ends the task after this step: a number, or a number for each key; null: the task goes on. */
  minReward: number | Record<string, number> | null
}

export interface TaskArtifact {
  /** Absolute, in the container. */
  source: string
  /** Where it is put for whoever gets it; null: `source`. */
  destination: string | null
}
