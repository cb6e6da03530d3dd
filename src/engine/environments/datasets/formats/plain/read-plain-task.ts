import type { EnvironmentSource, Task } from '../../../task.ts'
import { containerPath, cpus, healthcheck, refuseAllowlist, user, variables } from '../environment-fields.ts'
import type { Fields } from '../fields.ts'
import { instruction } from '../instruction.ts'
import { below, noParts, noTexts, type ReadTask } from '../read-task.ts'
import { tomlFields } from '../settings-file.ts'
import type { TaskFolder } from '../task-folder.ts'
import { TaskProblem } from '../task-problem.ts'

const settingsFile = 'sample.toml'

/** Reads a task of the plain format, which docs/DATASETS.md describes. A setting that it does not know is refused. */
export function readPlainTask(folder: TaskFolder): ReadTask {
  const settings = tomlFields(folder, settingsFile)
  settings.refuseOthers(known)
  const task: Task = {
    ...noTexts,
    ...noParts,
    format: 'plain',
    instanceId: folder.name,
    description: settings.text('description') ?? '',
    language: settings.text('language') ?? '',
    problemStatement: instruction(folder, 'instruction.md'),
    environment: {
      source: sourceOf(folder, settings),
      workdir: containerPath(settings, 'workdir'),
      user: user(settings, 'user'),
      env: variables(settings, 'env'),
      cpus: cpus(settings),
      memoryBytes: settings.mebibytes('memory_mib') ?? null,
      storageBytes: settings.mebibytes('storage_mib') ?? null,
      network: Array.isArray(settings.raw('network'))
        ? refuseAllowlist(settings, 'network')
        : (settings.one('network', ['public', 'none']) ?? 'public'),
      buildTimeoutMs: settings.seconds('build_timeout_s') ?? 600_000,
      healthcheck: healthcheck(settings, '_s'),
    },
    agent: { timeoutMs: settings.seconds('agent_timeout_s') ?? null, user: null },
    verifier: {
      kind: 'plain',
      tests: 'tests',
      script: folder.requireFile('tests/test.sh'),
      timeoutMs: settings.seconds('test_timeout_s') ?? 600_000,
      env: variables(settings, 'test_env'),
      user: null,
      mode: settings.one('mode', ['fork', 'patch']) ?? 'fork',
      network: null,
    },
    solution: folder.has('solution')
      ? { kind: 'script', script: folder.requireFile('solution/solve.sh'), folder: 'solution', env: {} }
      : null,
  }
  return { task, isVisible: below('environment') }
}

function sourceOf(folder: TaskFolder, settings: Fields): EnvironmentSource {
  const image = settings.text('image')
  const hasDockerfile = folder.has('environment/Dockerfile')
  if (image !== undefined && hasDockerfile)
    return settings.fail('image', 'cannot be used together with environment/Dockerfile')
  if (image === '') return settings.fail('image', 'must not be empty')
  if (image !== undefined) return { image }
  if (hasDockerfile) return dockerfileIn(folder, 'environment')
  throw new TaskProblem('needs "image", or a file environment/Dockerfile', { file: settingsFile })
}

/** Returns the Dockerfile of a folder that is its context. */
export function dockerfileIn(folder: TaskFolder, context: string): EnvironmentSource {
  return { dockerfile: folder.requireFile(`${context}/Dockerfile`), context, exclude: [] }
}

const known = [
  ...['description', 'language', 'image', 'workdir', 'user', 'env', 'cpus', 'memory_mib', 'storage_mib', 'network'],
  ...['build_timeout_s', 'agent_timeout_s', 'test_timeout_s', 'test_env', 'mode', 'healthcheck'],
]
