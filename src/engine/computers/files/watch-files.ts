import { posix } from 'node:path'
import { limits } from '../../../config/limits.ts'
import type { FileChange } from '../../../drivers/driver.ts'
import { useSandbox } from '../lifecycle/use-sandbox.ts'
import type { Lease } from '../../budgets/descriptor-budget.ts'
import type { Caller } from '../../caller.ts'
import type { LiveEvent } from '../live-events.ts'
import { ChangeFilter } from './change-filter.ts'
import type { ComputersContext } from '../computers.ts'

export interface FileWatchOptions {
  /** Absolute; a directory, or a file, which is watched by its name, also while there is none of it. */
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
  directory: boolean
}

/**
 * Tells what changes in a directory of the account's computer, which is started when it does not run. A viewer is no
 * use of the computer: it does not keep it from stopping. The first thing is `ready`; what is wrong with the request
 * rejects before it.
 */
export async function* watchFiles(
  engine: ComputersContext,
  caller: Caller,
  sessionKey: string,
  options: FileWatchOptions,
): AsyncGenerator<FileChange | WatchEnd> {
  // What is wrong with the globs is told before anything is started.
  let filter = new ChangeFilter(options.path, options)
  const leave = engine.watchers.enter(caller.accountId)
  const ended = new AbortController()
  let stopped: WatchEnd['reason'] | undefined
  const stop = (reason: WatchEnd['reason']) => {
    stopped ??= reason
    ended.abort()
  }
  const onStop = () => stop('server')
  let unsubscribe = () => {}
  let lease: Lease | undefined
  engine.server.stopping.addEventListener('abort', onStop, { once: true })
  try {
    const { descriptors } = engine.budgets
    const shares = descriptors.sharesOf({ account: caller.accountId })
    lease = descriptors.take('watch files', shares, limits.watchDescriptors)
    const { computer, done } = await useSandbox(engine, caller, sessionKey)
    const onEvent = (event: LiveEvent) => {
      if (event.type === 'computer.state' && event.state !== 'running') stop('sandbox')
    }
    unsubscribe = engine.liveEvents.subscribe(computer.id, onEvent)
    let directory = true
    try {
      const files = engine.driver.files(computer.id)
      const { path } = options
      directory = (await files.stat(path)).type !== 'file'
      const top = directory ? path : posix.dirname(path)
      if (!directory) filter = new ChangeFilter(top, { ...options, only: path })
      const changes = files.watch(top, {
        recursive: directory && options.recursive,
        signal: AbortSignal.any([options.signal, ended.signal]),
        skip: (below) => filter.skips(below),
        ...(options.include ? { reportSeparately: (below) => filter.shows(below) } : {}),
      })
      for await (const change of changes) {
        if (change.type === 'ready') done()
        const seen = filter.seen(change)
        if (seen) yield isOfAll(seen) ? { ...seen, path, directory } : seen
      }
    } finally {
      done()
    }
    if (stopped !== undefined) yield { type: 'stopped', reason: stopped, path: options.path, directory }
  } finally {
    unsubscribe()
    engine.server.stopping.removeEventListener('abort', onStop)
    lease?.release()
    leave()
  }
}

function isOfAll({ type }: FileChange): boolean {
  return type === 'ready' || type === 'overflow' || type === 'gone'
}
