import type { EnvironmentSource, TaskEnvironment } from '../../../task.ts'
import { containerPath, cpus, user } from '../environment-fields.ts'
import type { Fields } from '../fields.ts'
import { plainEnvironment } from '../read-task.ts'
import { yamlFields } from '../settings-file.ts'
import type { TaskFolder } from '../task-folder.ts'

const file = 'docker-compose.yaml'

/** Returns the environment of a task: its compose file, which has one service `client`, or its Dockerfile alone. */
export function readCompose(folder: TaskFolder, hidden: readonly string[]): TaskEnvironment {
  const byDefault = { dockerfile: 'Dockerfile', context: '', exclude: [...hidden] }
  if (!folder.has(file)) {
    folder.requireFile('Dockerfile')
    return { ...plainEnvironment, source: byDefault }
  }
  const services = yamlFields(folder, file).table('services')
  const other = services.names.find((name) => name !== 'client')
  if (other !== undefined)
    services.fail(other, 'asks for another container, and a session is one: the service "client"')
  if (!services.has('client')) services.fail('client', 'is missing')
  const client = services.table('client')
  for (const name of client.names)
    if (!known.has(name)) client.fail(name, 'asks for what this server does not give to a container')
  refuseVolumes(client)
  return {
    ...plainEnvironment,
    source: sourceOf(folder, client, hidden),
    workdir: containerPath(client, 'working_dir'),
    user: user(client, 'user'),
    env: variablesOf(client),
    cpus: cpus(client),
    memoryBytes: client.size('mem_limit') ?? null,
  }
}

/** What a service may say: what is done here, and what concerns only the host of a developer. */
const known = new Set([
  ...['build', 'image', 'environment', 'working_dir', 'user', 'cpus', 'mem_limit', 'volumes', 'command', 'entrypoint'],
  ...['container_name', 'stdin_open', 'tty', 'init', 'restart', 'ports', 'expose', 'platform', 'hostname', 'labels'],
])

function sourceOf(folder: TaskFolder, client: Fields, hidden: readonly string[]): EnvironmentSource {
  if (!client.has('build')) {
    const image = client.text('image') ?? ''
    return image === '' || image.includes('${') ? client.fail('image', 'is missing, and so is "build"') : { image }
  }
  const build = typeof client.raw('build') === 'string' ? undefined : client.table('build')
  const context = folderOf(client, (build ? build.text('context') : client.text('build')) ?? '.')
  const name = build?.text('dockerfile') ?? 'Dockerfile'
  if (build?.has('args')) build.fail('args', 'asks for build arguments: write them into the Dockerfile')
  if (build?.has('target')) build.fail('target', 'asks for a stage of the Dockerfile, and the last one is built')
  const dockerfile = folderOf(client, context ? `${context}/${name}` : name)
  return { dockerfile: folder.requireFile(dockerfile), context, exclude: context ? [] : [...hidden] }
}

/** Returns a path within the task, without `./`. */
function folderOf(client: Fields, path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0'))
    client.fail('build', `leads out of the task: "${path}"`)
  return parts.join('/')
}

/** The harness mounts two folders for logs, which sessions have without. */
function refuseVolumes(client: Fields): void {
  const other = client.list('volumes').find((volume) => typeof volume !== 'string' || !volume.startsWith('${T_BENCH_'))
  if (other !== undefined) client.fail('volumes', 'asks for a folder of the host')
}

function variablesOf(client: Fields): Record<string, string> {
  const raw = client.raw('environment') ?? {}
  const pairs: [string, string][] = Array.isArray(raw)
    ? client.texts('environment').map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)])
    : Object.entries(raw).map(([name, value]) => [name, String(value ?? '')])
  return Object.fromEntries(pairs.map(([name, value]) => [name, withHarness(client, value)]))
}

function withHarness(client: Fields, value: string): string {
  const replaced = value.replaceAll(/\$\{(T_BENCH_\w+)\}/g, (_, name: string) => harness[name] ?? '')
  return replaced.includes('${') ? client.fail('environment', `needs a variable of the host: "${value}"`) : replaced
}

const harness: Record<string, string> = {
  T_BENCH_TEST_DIR: '/tests',
  T_BENCH_CONTAINER_LOGS_PATH: '/logs',
  T_BENCH_CONTAINER_AGENT_LOGS_PATH: '/agent-logs',
}
