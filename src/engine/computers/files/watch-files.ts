import { posix } from 'node:path'
import { limits } from '../../../config/limits.ts'
import type { FileChange } from '../../../drivers/driver.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { Lease } from '../../budgets/descriptor-budget.ts'
import type { LiveEvent } from '../live-events.ts'
import { subscribe } from '../subscribe.ts'
import { ChangeFilter } from './change-filter.ts'
import { filesOf } from './files-of.ts'
import type { ComputersContext } from '../computers.ts'

export interface FileWatchOptions {
  /** An absolute path: a directory, or a file, which is watched by its name, even while it does not exist. */
  path: string
  recursive: boolean
  /** Globs; at most one of the two fields may be given. */
  include?: string[]
  exclude?: string[]
  /** Ends the watch. */
  signal: AbortSignal
}

/** The last event of a watch that its client did not end. */
export interface WatchEnd {
  type: 'stopped'
  /** `sandbox` when the computer no longer runs, `server` when the server stops. */
  reason: 'sandbox' | 'server'
  path: string
  directory: boolean
}

/**
 * Yields the changes in a directory of a computer, beginning with `ready`. Throws before `ready` when the request is
 * invalid. The computer has to be in use only until `ready`: a watch does not keep it from stopping.
 */
export async function* watchFiles(
  engine: ComputersContext,
  computer: AccessibleComputer<'files'>,
  options: FileWatchOptions,
): AsyncGenerator<FileChange | WatchEnd> {
  const { accountId } = computer.caller
  const endWatch = engine.watchers.begin(accountId)
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
    const shares = descriptors.sharesOf({ account: accountId })
    lease = descriptors.take('watch files', shares, limits.watchDescriptors)
    const onEvent = (event: LiveEvent) => {
      if (event.type === 'computer.state' && event.state !== 'running') stop('sandbox')
    }
    unsubscribe = subscribe(engine, computer, onEvent)
    const files = filesOf(engine, computer)
    const { path } = options
    const directory = (await files.stat(path)).type !== 'file'
    const top = directory ? path : posix.dirname(path)
    const filter = new ChangeFilter(top, directory ? options : { ...options, only: path })
    const changes = files.watch(top, {
      recursive: directory && options.recursive,
      signal: AbortSignal.any([options.signal, ended.signal]),
      skip: (below) => filter.skips(below),
      ...(options.include ? { reportSeparately: (below) => filter.isVisible(below) } : {}),
    })
    for await (const change of changes) {
      const visible = filter.apply(change)
      if (visible) yield concernsWhole(visible) ? { ...visible, path, directory } : visible
    }
    if (stopped !== undefined) yield { type: 'stopped', reason: stopped, path: options.path, directory }
  } finally {
    unsubscribe()
    engine.server.stopping.removeEventListener('abort', onStop)
    lease?.release()
    endWatch()
  }
}

function concernsWhole({ type }: FileChange): boolean {
  return type === 'ready' || type === 'overflow' || type === 'gone'
}
