import type { FileChange } from '../../drivers/driver.ts'
import { useSandbox } from '../computers/use-sandbox.ts'
import type { Caller, Engine } from '../engine.ts'
import type { LiveEvent } from '../events/live-events.ts'
import { ChangeFilter } from './change-filter.ts'

export interface FileWatchOptions {
  /** Absolute. */
  path: string
  recursive: boolean
  /** Globs; at most one of the two may be given. */
  include?: string[]
  exclude?: string[]
  /** Ends it. */
  signal: AbortSignal
}

/** The last thing that a watch tells, when it was not ended by its viewer. */
export interface WatchEnd {
  type: 'stopped'
  /** `sandbox` when the computer no longer runs, `server` when the server stops. */
  reason: 'sandbox' | 'server'
  path: string
  directory: true
}

/**
 * Tells what changes in a directory of the account's computer, which is started when it does not run. A viewer is no
 * use of the computer: it does not keep it from stopping. The first thing is `ready`; what is wrong with the request
 * rejects before it.
 */
export async function* watchFiles(
  engine: Engine,
  caller: Caller,
  sessionKey: string,
  options: FileWatchOptions,
): AsyncGenerator<FileChange | WatchEnd> {
  const filter = new ChangeFilter(options.path, options)
  const leave = engine.watchers.enter(caller.accountId)
  const ended = new AbortController()
  let stopped: WatchEnd['reason'] | undefined
  const stop = (reason: WatchEnd['reason']) => {
    stopped ??= reason
    ended.abort()
  }
  const onStop = () => stop('server')
  let unsubscribe = () => {}
  engine.stopping.addEventListener('abort', onStop, { once: true })
  try {
    const { computer, done } = await useSandbox(engine, caller, sessionKey)
    const onEvent = (event: LiveEvent) => {
      if (event.type === 'computer.state' && event.state !== 'running') stop('sandbox')
    }
    unsubscribe = engine.liveEvents.subscribe(computer.id, onEvent)
    const changes = engine.driver.files(computer.id).watch(options.path, {
      recursive: options.recursive,
      signal: AbortSignal.any([options.signal, ended.signal]),
      skip: (path) => filter.skips(path),
    })
    try {
      for await (const change of changes) {
        if (change.type === 'ready') done()
        const seen = filter.seen(change)
        if (seen) yield seen
      }
    } finally {
      done()
    }
    if (stopped !== undefined) yield { type: 'stopped', reason: stopped, path: options.path, directory: true }
  } finally {
    unsubscribe()
    engine.stopping.removeEventListener('abort', onStop)
    leave()
  }
}
