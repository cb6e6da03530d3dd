import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { checkPatterns } from '../../engine/computers/files/change-filter.ts'
import { watchFiles, type WatchEnd } from '../../engine/computers/files/watch-files.ts'
import type { FileChange } from '../../engine/types.ts'
import { asCarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { EventStream } from '../../http/event-stream.ts'
import { watchEvents } from './watch-events.ts'
import { errorBody } from './errors.ts'
import { sandboxPath } from './sandbox-path.ts'
import { eventStreamAnswer } from './schemas/shared.ts'
import { watchBody } from './schemas/watch.ts'

type WatchBody = Static<typeof watchBody>

export function addWatchRoutes(app: App, engine: Engine): void {
  app.post(
    '/watch',
    {
      schema: { body: watchBody },
      bodyLimit: limits.pathBodyBytes,
      config: {
        documentation: {
          description: 'Watch filesystem changes as a Server-Sent Events stream',
          returns:
            'Server-Sent Events: watching, then create, modify, delete and rename { type, path, directory, timestamp, oldPath?, newPath? }, overflow { message, dropped? }, and finally stopped { reason, message } or error',
          notes:
            'Watching ends with the connection, and does not keep a sandbox from stopping. A glob without a slash matches names at any depth; a glob with a slash matches paths relative to the watched directory. With include, only matches are reported: when a directory is renamed or deleted, each matching file in it. A file is watched by its name; a link to a file is not followed. Events have no ids, and Last-Event-ID has no effect: after a reconnect the watch starts anew, so list the directory to find what changed in between.',
          answers: { 200: eventStreamAnswer },
          messages: watchEvents,
          example: { path: '/workspace', exclude: ['node_modules', '*.log'] },
        },
      },
    },
    (request, reply) => stream(engine, request as FastifyRequest<{ Body: WatchBody }>, reply),
  )
}

async function stream(
  engine: Engine,
  request: FastifyRequest<{ Body: WatchBody }>,
  reply: FastifyReply,
): Promise<void> {
  const left = new AbortController()
  reply.raw.on('close', () => left.abort())
  const { recursive = true, sessionId = '' } = request.body
  // An invalid request is refused with its own status, before the stream begins.
  const { path, changes } = await begin(engine, request, left.signal)
  const events = new EventStream({ engine, request, reply, errorBody })
  try {
    await events.send('watching', { path, recursive, sessionId, timestamp: now() })
    for await (const change of changes) {
      const { type, ...fields } = eventOf(change)
      await events.send(type, fields)
    }
  } catch (error) {
    request.log.warn({ err: error }, 'a watch failed')
    await events.send('error', { ...errorBody(asCarrelError(error), request.id), timestamp: now() })
  } finally {
    await changes.return(undefined)
    events.end()
  }
}

/** Starts a watch; resolves once it is in place. */
async function begin(engine: Engine, { body, caller }: FastifyRequest<{ Body: WatchBody }>, signal: AbortSignal) {
  const { recursive = true, include, exclude, sessionId = '' } = body
  const [path, otherwise] = watchedPaths(body.path)
  const open = async (at: string) => {
    checkPatterns(at, { include, exclude })
    using computer = await openComputer(engine, caller, { name: sessionId }, 'files')
    const changes = watchFiles(engine, computer, { path: at, recursive, include, exclude, signal })
    await changes.next()
    return { path: at, changes }
  }
  return open(path).catch((error: unknown) => {
    if (otherwise === undefined || asCarrelError(error).code !== 'not_found') throw error
    return open(otherwise)
  })
}

function eventOf(change: FileChange | WatchEnd): { type: string } & Record<string, unknown> {
  const { type, path, directory } = change
  const timestamp = now()
  switch (type) {
    case 'rename':
      return { type, path, oldPath: change.oldPath, newPath: path, directory, timestamp }
    case 'overflow':
      return { type, path, ...lossOf(change.dropped), timestamp }
    case 'gone':
      return { type: 'stopped', path, reason: 'deleted', message: gone(directory), timestamp }
    case 'stopped':
      return { type, path, reason: change.reason, message: endings[change.reason], timestamp }
    case 'create':
    case 'modify':
    case 'delete':
    case 'ready':
      return { type, path, directory, timestamp }
  }
}

function gone(directory: boolean): string {
  return `The directory${directory ? '' : ' of the file'} was deleted or moved away`
}

function lossOf(dropped: number | undefined): { dropped?: number; message: string } {
  if (dropped === undefined)
    return {
      message:
        'More changed at once than the kernel could report. Created and deleted files are reported all the same; some files that were only modified are not.',
    }
  return { dropped, message: `${dropped} changes were not sent because the connection was slow. List the directory.` }
}

const endings: Record<WatchEnd['reason'], string> = {
  sandbox: 'The sandbox has stopped',
  server: 'The server is stopping; watch again shortly',
}

/** Relative paths start at /workspace; if `workspace/x` does not exist there, it means `/workspace/x`. */
function watchedPaths(path: string): [path: string, otherwise?: string] {
  return /^workspace(\/|$)/.test(path) ? [sandboxPath(path), sandboxPath(`/${path}`)] : [sandboxPath(path)]
}

function now(): string {
  return new Date().toISOString()
}
