import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { killProcess } from '../../../engine/computers/processes/kill-process.ts'
import { listProcesses } from '../../../engine/computers/processes/list-processes.ts'
import { signalProgram, type RunningProgram } from '../../../engine/computers/processes/programs.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { ProcessFacts } from '../../../engine/types.ts'
import type { App } from '../../../http/app.ts'
import { isoTime } from '../../iso-time.ts'
import { object } from '../../schema.ts'
import { openFor, visitOf } from './page-visit.ts'

const signalBody = object({ signal: Type.Enum(['SIGTERM', 'SIGKILL']) })
const params = object({ id: Type.String({ minLength: 1, maxLength: limits.processIdLength }) })

/** Adds what runs in the computer: what was started from outside, and what that has started. */
export function addProcessRoutes(app: App, engine: Engine): void {
  app.get('/api/processes', { config: openFor(engine, 'everything') }, async (request) => {
    const { computer } = visitOf(request).session
    const [rows, programs] = await Promise.all([
      listProcesses(engine, computer, { all: false }),
      engine.programs.list(engine, computer),
    ])
    const started = new Map(rows.filter(({ state }) => state !== 'ended').map((row) => [row.pid, row]))
    const shown = programs.map((program) => shownProgram(program, started.get(program.pid)))
    const seen = new Set(programs.map(({ pid }) => pid))
    // An image without `ps` shows what was started from outside alone.
    const others = [...started.values()].filter(({ pid }) => programs.length === 0 && !seen.has(pid))
    return { processes: [...shown, ...others.map((row) => shownProcess(row, computer.image.user))] }
  })
  app.post(
    '/api/processes/:id/signal',
    { schema: { params, body: signalBody }, config: openFor(engine, 'everything') },
    async (request, reply) => {
      const { computer } = visitOf(request).session
      const { id } = request.params
      const { signal } = request.body
      const [, pid] = programId.exec(id) ?? []
      await (pid === undefined
        ? killProcess(engine, computer, id, signal)
        : signalProgram(engine, computer, Number(pid), signal))
      return reply.status(204).send()
    },
  )
}

/** The id of a program that Carrel did not start. */
const programId = /^pid-(\d{1,10})$/

function shownProgram({ pid, user, command, ...facts }: RunningProgram, row: ProcessFacts | undefined) {
  return {
    id: row?.id ?? `pid-${pid}`,
    pid,
    command: row?.command ?? command,
    kind: row?.kind ?? 'program',
    user,
    started_at: isoTime(row?.started_at ?? facts.startedAtMs),
    cpu_seconds: facts.cpuSeconds,
    memory_bytes: facts.memoryBytes,
  }
}

function shownProcess({ id, pid, command, kind, started_at }: ProcessFacts, user: string) {
  return { id, pid, command, kind, user, started_at: isoTime(started_at) }
}
