import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { assertScope } from '../engine/identity/accounts/tokens.ts'
import type { Engine } from '../engine/engine.ts'
import { hostMetrics } from '../engine/metrics.ts'
import { helpersOf } from '../engine/helpers.ts'
import { authenticateAny } from '../engine/identity/auth/authenticate.ts'
import { CarrelError } from '../errors.ts'
import type { App } from './app.ts'
import { bearerToken } from './authenticate.ts'

/**
 * Adds `GET /metrics` in Prometheus' text format, for the operator only: for `CARREL_METRICS_TOKEN`, which grants
 * nothing else, and for tokens of the owner's account with the scope `account`. The metrics name no account, computer
 * or path, but show how busy the server is, and with what. A local address proves nothing: a proxy on the same machine
 * uses it for every client.
 */
export function addMetrics(app: App, engine: Engine): void {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Histogram({
    name: 'carrel_http_request_seconds',
    help: 'Time from a request to its response, by route',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers,
  })
  const computers = new Gauge({
    name: 'carrel_computers',
    help: 'Computers by state',
    labelNames: ['state'],
    registers,
  })
  const waiting = new Gauge({
    name: 'carrel_queue_length',
    help: 'Work that waits in a queue',
    labelNames: ['queue'],
    registers,
  })
  const pools = new Gauge({
    name: 'carrel_pool_ready',
    help: 'Resources that are kept ready',
    labelNames: ['pool'],
    registers,
  })
  const processes = new Gauge({ name: 'carrel_processes_running', help: 'Processes running in computers', registers })
  const descriptors = new Gauge({
    name: 'carrel_descriptors',
    help: 'File descriptors held for clients, and the total available for them',
    labelNames: ['program', 'kind'],
    registers,
  })
  const memory = new Gauge({ name: 'carrel_server_memory_bytes', help: 'Resident memory of the server', registers })
  const disk = new Gauge({
    name: 'carrel_disk_bytes',
    help: 'Disk of the data directory: size, free bytes, and the free bytes reserved for the server',
    labelNames: ['kind'],
    registers,
  })
  const output = new Gauge({
    name: 'carrel_output_bytes',
    help: 'Output of processes on disk',
    labelNames: ['processes'],
    registers,
  })
  const started = new Counter({ name: 'carrel_process_starts_total', help: 'Processes started', registers })
  const helpers = new Gauge({
    name: 'carrel_helper_ok',
    help: 'Whether a helper of the server works (1) or is degraded (0)',
    labelNames: ['helper'],
    registers,
  })
  const repetitions = new Counter({
    name: 'carrel_database_repetitions_total',
    help: 'Transactions that were repeated because others changed the same rows',
    registers,
  })
  let counted = 0

  app.addHook('onResponse', async (request, reply) => {
    requests.observe(
      { route: request.routeOptions.url ?? 'none', method: request.method, status: reply.statusCode },
      reply.elapsedTime / 1000,
    )
  })
  app.get(
    '/metrics',
    { config: { public: true }, onRequest: (request) => assertOperator(engine, request) },
    async (_request, reply) => {
      const host = await hostMetrics(engine)
      computers.reset()
      for (const { state, count } of host.computers) computers.set({ state }, count)
      waiting.set({ queue: 'creates' }, engine.creates.waiting)
      waiting.set({ queue: 'starts' }, engine.starts.waiting)
      pools.set({ pool: 'computers' }, engine.warmPool.ready)
      pools.set({ pool: 'networks' }, host.networkPool)
      processes.set(host.runningProcesses)
      disk.set({ kind: 'size' }, host.disk.sizeBytes)
      disk.set({ kind: 'free' }, host.disk.freeBytes)
      disk.set({ kind: 'reserved' }, host.disk.reserveBytes)
      output.set({ processes: 'running' }, host.journalBytes)
      output.set({ processes: 'ended' }, engine.outputRetention.bytes)
      for (const { name, status } of helpersOf(engine)) helpers.set({ helper: name }, status === 'ok' ? 1 : 0)
      started.inc(engine.startedProcesses - counted)
      counted = engine.startedProcesses
      for (const [program, { held, total }] of [
        ['server', engine.budgets.descriptors],
        ['monitor', engine.budgets.processDescriptors],
      ] as const) {
        descriptors.set({ program, kind: 'held' }, held)
        descriptors.set({ program, kind: 'total' }, total)
      }
      repetitions.reset()
      repetitions.inc(host.databaseRepetitions)
      memory.set(process.memoryUsage.rss())
      return reply.type(registry.contentType).send(await registry.metrics())
    },
  )
}

async function assertOperator(engine: Engine, { headers }: { headers: IncomingHttpHeaders }): Promise<void> {
  const token = bearerToken(headers)
  const { metricsToken } = engine.settings
  if (metricsToken !== undefined && timingSafeEqual(digestOf(token), digestOf(metricsToken))) return
  const caller = await authenticateAny(engine, token)
  if (caller.accountId !== engine.server.ownerId)
    throw new CarrelError('forbidden', 'Cannot read the metrics: only the operator of the server can')
  assertScope(caller, 'account')
}

/** Returns a digest, so that texts of any length are compared as bytes of one length. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
