import type { RouteOptions } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import type { RouteDocumentation } from '../../http/route-config.ts'
import { version } from '../../version.ts'
import { discoveryAnswer, healthAnswer } from './schemas.ts'

/** `GET /` and `GET /health`. Added first, so that it hears of every route that comes after it. */
export function addDiscoveryRoutes(app: App, engine: Engine): void {
  const endpoints: Record<string, unknown> = {}
  app.addHook('onRoute', (route) => {
    const { documentation } = route.config ?? {}
    if (documentation && route.method !== 'HEAD')
      endpoints[`${String(route.method)} ${route.url}`] = describeRoute(route, documentation)
  })

  app.get(
    '/',
    {
      config: {
        public: true,
        documentation: {
          description: 'API schema and discovery (this endpoint)',
          returns: 'JSON schema',
          answers: { 200: discoveryAnswer },
        },
      },
    },
    ({ protocol, host }) => discoveryDocument(engine.settings.publicUrl ?? `${protocol}://${host}`, engine, endpoints),
  )

  app.get(
    '/health',
    {
      schema: { response: { 200: healthAnswer } },
      config: {
        public: true,
        documentation: { description: 'Health check', returns: '{ status, service, version, timestamp }' },
      },
    },
    async () => ({ status: 'ok', service: 'carrel', version, timestamp: new Date().toISOString() }),
  )
}

function describeRoute(route: RouteOptions, documentation: RouteDocumentation): Record<string, unknown> {
  const { params, form: _form, answers: _answers, ...rest } = documentation
  const described = params ?? paramsOf(route.schema?.body ?? route.schema?.querystring)
  return {
    ...rest,
    auth: !route.config?.public,
    ...(described ? { params: described } : {}),
    ...(route.config?.idempotent ? { idempotent: 'Idempotency-Key is honoured' } : {}),
  }
}

interface ObjectSchema {
  properties?: Record<string, { type?: string; enum?: unknown[]; default?: unknown; description?: string }>
  required?: string[]
}

/** The document's short form of a body's schema: type, required, enum, default, description. */
function paramsOf(schema: unknown): Record<string, unknown> | undefined {
  const { properties, required = [] } = (schema ?? {}) as ObjectSchema
  if (!properties) return undefined
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type, enum: options, default: fallback, description }]) => [
      name,
      {
        type: type === 'integer' ? 'number' : (type ?? (options ? typeof options[0] : 'object')),
        required: required.includes(name),
        enum: options,
        default: fallback,
        description,
      },
    ]),
  )
}

function discoveryDocument(
  baseUrl: string,
  engine: Engine,
  endpoints: Record<string, unknown>,
): Record<string, unknown> {
  const { previewDomain, idleTimeoutMs, computerCpus, computerMemoryBytes, computerDiskBytes } = engine.settings
  return {
    name: 'Carrel',
    schemaVersion: '2026-01-26',
    apiVersion: 'v2',
    version,
    description:
      'A computer of its own for every agent: isolated Linux over HTTP, self-hosted. This surface speaks the PaperPod API.',
    baseUrl,
    previewUrlDomain: previewDomain,
    quickStart: {
      step1: 'The operator finds the first token in owner.token in the data directory',
      step2: `curl -H "Authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"code":"print(6*7)","language":"python"}' ${baseUrl}/execute`,
      step3: "On the command line: carrel login <token> && carrel exec 'echo hello'",
    },
    skills: {
      streaming: true,
      python: true,
      javascript: true,
      shell: true,
      git: true,
      backgroundProcesses: true,
      fileSystem: true,
      portExposure: true,
      sessionPersistence: true,
      agentMemory: true,
    },
    environment: {
      isolation: 'Each sandbox is a computer of its own, with its own users, network, limits and disk',
      user: 'node (uid 1000), with sudo; the working directory is /workspace',
      python: 'python or python3 (both work)',
      pip: 'pip, pip3, or python3 -m pip (all work)',
      javascript: 'node (default) / bun (faster, TS-native)',
      shell: 'bash',
      tools: {
        runtimes: ['python', 'python3', 'pip', 'pip3', 'node', 'npm', 'npx', 'bun', 'bunx'],
        versionControl: ['git', 'gh'],
        httpNetworking: ['curl', 'httpie', 'jq', 'dig', 'ss'],
        searchText: ['ripgrep', 'find', 'sed', 'awk', 'tree'],
        mediaDocs: ['ffmpeg', 'imagemagick', 'pandoc'],
        buildData: ['make', 'sqlite3', 'tar', 'gzip', 'zip', 'unzip'],
      },
      limits: { cpus: computerCpus, memoryBytes: computerMemoryBytes, diskBytes: computerDiskBytes },
      reservedPorts: '3000-3010 (system use)',
    },
    tips: {
      expose: {
        tip: 'Start a server, then call /expose; any bind address works',
        urlFormat: `{port}-{id}-p{port}_v1.${previewDomain} (stable)`,
      },
      persistence: {
        sandboxFiles: `Ephemeral - lost when the sandbox stops, after ${idleTimeoutMs / 1000} s in which nothing runs and nobody asks`,
        agentMemory: 'Persistent - survives sandboxes. 10MB quota. Use the /memory/* endpoints.',
      },
      files: { paths: 'A relative path is under /workspace' },
      errorActions: { description: 'Errors carry error, code, action, agentInstruction, retryable and requestId' },
    },
    authentication: {
      flow: 'Bearer token (pp_sess_...)',
      tokenMethods: {
        cli: 'carrel login pp_sess_...',
        envVar: 'export CARREL_TOKEN=pp_sess_...',
        header: 'Authorization: Bearer pp_sess_...',
      },
    },
    endpoints,
    discovery: {
      cli: 'carrel help - list all CLI commands',
      http: 'GET / returns this, GET /openapi.json the schemas',
    },
  }
}
