import type {
  EnvironmentSource,
  HarborVerifier,
  Task,
  TaskArtifact,
  TaskEnvironment,
  TaskNetwork,
} from '../../../task.ts'
import { containerPath, cpus, healthcheck, refuseAllowlist, user, variables } from '../environment-fields.ts'
import type { Fields } from '../fields.ts'
import { instruction } from '../instruction.ts'
import { below, noTexts, type ReadTask } from '../read-task.ts'
import { tomlFields } from '../settings-file.ts'
import type { TaskFolder } from '../task-folder.ts'
import { TaskProblem } from '../task-problem.ts'
import { readSteps, solutionIn } from './read-steps.ts'

/** Reads a task of Harbor (`task.toml`, schema 1.0 to 1.4). Fields that change nothing here are ignored. */
export function readHarborTask(folder: TaskFolder): ReadTask {
  const fields = tomlFields(folder, 'task.toml')
  const [about, agent, environment] = [fields.table('task'), fields.table('agent'), fields.table('environment')]
  const steps = readSteps(folder, fields)
  const shared = environmentOf(folder, environment, 'environment')
  const task: Task = {
    ...noTexts,
    format: 'harbor',
    instanceId: about.text('name') || folder.name,
    description: about.text('description') ?? '',
    language: languageOf(fields.table('metadata')),
    problemStatement: steps[0]?.instruction ?? instruction(folder, 'instruction.md'),
    // What is said of the agent holds while it works, and what is said of the environment holds otherwise.
    environment: { ...shared, network: networkOf(agent) ?? shared.network },
    agent: { timeoutMs: agent.seconds('timeout_sec') ?? null, user: user(agent, 'user') },
    verifier: verifierOf(folder, fields, { network: shared.network, hasSteps: steps.length > 0 }),
    solution: solutionIn(folder, 'solution', variables(fields.table('solution'), 'env')),
    steps,
    stepsReward: steps.length > 0 ? (fields.one('multi_step_reward_strategy', ['mean', 'final']) ?? 'mean') : null,
    artifacts: artifactsOf(fields),
  }
  return { task, isVisible: below('environment') }
}

function environmentOf(folder: TaskFolder, fields: Fields, context: string): TaskEnvironment {
  refuseUnenforceable(fields)
  for (const name of ['docker-compose.yaml', 'docker-compose.yml', 'compose.yaml', 'compose.yml'])
    if (folder.has(`${context}/${name}`))
      throw new TaskProblem('asks for several containers, and a session is one', { file: `${context}/${name}` })
  return {
    source: sourceOf(folder, fields, context),
    workdir: containerPath(fields, 'workdir'),
    user: null,
    env: variables(fields, 'env'),
    cpus: cpus(fields),
    memoryBytes: fields.mebibytes('memory_mb') ?? fields.size('memory') ?? null,
    storageBytes: fields.mebibytes('storage_mb') ?? fields.size('storage') ?? null,
    network: networkOf(fields) ?? 'public',
    buildTimeoutMs: fields.seconds('build_timeout_sec') ?? 600_000,
    healthcheck: healthcheck(fields, '_sec'),
  }
}

function refuseUnenforceable(fields: Fields): void {
  if ((fields.number('gpus', { min: 0 }) ?? 0) > 0)
    fields.fail('gpus', 'asks for a GPU, and this server has none to give')
  if (fields.has('tpu')) fields.fail('tpu', 'asks for a TPU, and this server has none to give')
  const os = fields.text('os')
  if (os !== undefined && os.toLowerCase() !== 'linux')
    fields.fail('os', `asks for "${os}", and this server runs Linux`)
  if (fields.list('mcp_servers').length > 0)
    fields.fail('mcp_servers', 'asks for MCP servers, which this server does not run')
}

function sourceOf(folder: TaskFolder, fields: Fields, context: string): EnvironmentSource {
  const image = fields.text('docker_image') ?? fields.text('image')
  if (image) return { image }
  return { dockerfile: folder.requireFile(`${context}/Dockerfile`), context, exclude: [] }
}

/** Returns the network of the environment or of a phase; undefined if nothing is said of it. */
function networkOf(fields: Fields): TaskNetwork | undefined {
  const mode = fields.one('network_mode', ['public', 'no-network', 'allowlist'])
  if (mode === 'allowlist') return refuseAllowlist(fields, 'network_mode')
  if (mode !== undefined) return mode === 'public' ? 'public' : 'none'
  const isAllowed = fields.boolean('allow_internet')
  return isAllowed === undefined ? undefined : isAllowed ? 'public' : 'none'
}

function verifierOf(
  folder: TaskFolder,
  root: Fields,
  { network, hasSteps }: { network: TaskNetwork; hasSteps: boolean },
): HarborVerifier {
  const fields = root.table('verifier')
  if (fields.list('collect').length > 0)
    fields.fail('collect', 'asks for commands before the tests, which this server does not run')
  const isSeparate = fields.one('environment_mode', ['shared', 'separate']) === 'separate'
  if (!isSeparate && fields.has('environment')) fields.fail('environment', 'needs environment_mode = "separate"')
  if (!hasSteps) folder.requireFile('tests/test.sh')
  return {
    kind: 'harbor',
    tests: folder.hasFolder('tests') ? 'tests' : null,
    environment: isSeparate ? environmentOf(folder, fields.table('environment'), 'tests') : null,
    timeoutMs: fields.seconds('timeout_sec') ?? 600_000,
    env: variables(fields, 'env'),
    user: user(fields, 'user'),
    mode: isSeparate ? 'artifacts' : 'fork',
    network: networkOf(fields) ?? (isSeparate ? null : network),
  }
}

function artifactsOf(fields: Fields): TaskArtifact[] {
  return fields.list('artifacts').map((entry, index) => {
    if (typeof entry === 'string') return { source: absolute(fields, entry), destination: null }
    const artifact = fields.tableAt('artifacts', index)
    if ((artifact.text('service') ?? 'main') !== 'main')
      artifact.fail('service', 'asks for another container, and a session is one')
    return {
      source: absolute(fields, artifact.text('source') ?? ''),
      destination: artifact.text('destination') ?? null,
    }
  })
}

function absolute(fields: Fields, path: string): string {
  const isValid = path.startsWith('/') && path.length > 1 && !path.includes('\0') && !path.split('/').includes('..')
  return isValid ? path : fields.fail('artifacts', `has to be absolute paths without "..", unlike "${path}"`)
}

function languageOf(metadata: Fields): string {
  const language = metadata.raw('language')
  return typeof language === 'string' ? language : ''
}
