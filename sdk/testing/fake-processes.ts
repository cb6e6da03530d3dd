import type { FastifyInstance } from 'fastify'
import { FakeFailure } from './fake-failure.ts'
import type { FakeProcess } from './fake-process.ts'
import type { FakeServer } from './fake-server.ts'

interface ExecuteBody {
  code: string
  language: string
  timeout?: number
  env?: Record<string, string>
  cwd?: string
}

/** Serves `/execute*` and `/process/*` with programs of this machine. */
export function serveProcesses(app: FastifyInstance, server: FakeServer): void {
  const spawn = ({ code, language, timeout, env, cwd }: ExecuteBody) =>
    server.spawn({
      argv: server.argvOf(code, language),
      env,
      cwd,
      stdin: false,
      timeoutMs: (timeout ?? 30_000) || undefined,
    })
  const find = (processId: string) => {
    const process = server.processes.get(processId)
    if (!process) throw new FakeFailure(404, 'NOT_FOUND', `Process "${processId}" does not exist`)
    return process
  }

  app.post<{ Body: ExecuteBody }>('/execute', async ({ body }) => {
    const process = spawn(body)
    await process.ended
    const { exit } = process
    return {
      status: exit?.reason === 'timeout' ? 'timeout' : exit?.reason === 'exited' ? 'completed' : 'killed',
      processId: process.processId,
      result: { stdout: process.text('stdout'), stderr: process.text('stderr'), ...exit, durationMs: 1 },
    }
  })

  app.post<{ Body: ExecuteBody }>('/execute/stream', (request, reply) => {
    const process = spawn(request.body)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    const send = (event: string, id: number, data: object) =>
      reply.raw.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`)
    send('start', 0, { processId: process.processId })
    let cursor = 0
    process.on('grew', () => {
      for (const { channel, data } of process.read(cursor)) {
        cursor += data.length
        send(channel, cursor, { data: data.toString() })
        if (server.takeCut(data.length)) reply.raw.destroy()
      }
    })
    process.on('exit', () => {
      const failure = server.takeFault('stream')
      if (failure instanceof FakeFailure) send('error', cursor, failure.envelope)
      else send('complete', cursor, { ...process.exit, durationMs: 1 })
      reply.raw.end()
    })
  })

  app.post<{ Body: { command: string; processId?: string; timeout?: number } }>('/process/start', async ({ body }) => {
    const { command, processId, timeout } = body
    const timeoutMs = timeout === 0 ? undefined : (timeout ?? 900_000)
    const process = server.spawn({ argv: server.argvOf(command, 'shell'), stdin: false, timeoutMs }, processId)
    return {
      success: true,
      processId: process.processId,
      pid: process.pid,
      status: 'running',
      command,
      startedAt: process.startedAt,
      hints: {
        exposePort: 'POST /expose {"port": 8080}',
        checkStatus: `POST /process/get {"processId": "${process.processId}"}`,
        stopProcess: `POST /process/kill {"processId": "${process.processId}"}`,
        bindAddress: 'Bind to 0.0.0.0',
      },
    }
  })

  app.post('/process/list', async () => ({ success: true, processes: [...server.processes.values()].map(view) }))

  app.post<{ Body: { processId: string; cursor?: number } }>('/process/get', async ({ body }) => {
    const process = find(body.processId)
    const logs = { stdout: '', stderr: '' }
    for (const { channel, data } of process.read(body.cursor ?? 0)) logs[channel] += data.toString()
    const state = { cursor: process.size, truncated: false, done: process.exit !== undefined }
    return { success: true, process: view(process), logs: { ...logs, ...state } }
  })

  app.post<{ Body: { processId: string; signal?: NodeJS.Signals } }>('/process/kill', async ({ body }) => {
    const process = find(body.processId)
    process.kill(body.signal ?? 'SIGTERM', 'tree')
    await process.ended
    return { success: true, processId: process.processId, process: view(process) }
  })
}

function view(process: FakeProcess): object {
  const { processId, pid, exit, startedAt, endedAt, request } = process
  const status = !exit
    ? 'running'
    : exit.reason === 'signalled'
      ? 'killed'
      : exit.exitCode === 0
        ? 'completed'
        : 'failed'
  return {
    processId,
    pid,
    command: request.argv.at(-1),
    status,
    exitCode: exit?.exitCode ?? null,
    signal: exit?.signal ?? null,
    reason: exit?.reason ?? null,
    startedAt,
    endedAt,
    ports: [],
  }
}
