import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import type { ServerState } from '../../context.ts'

/**
 * Ends a process, with all that it has started, when `gone` says that its client no longer waits for it; until the
 * returned function is called. The processes of clients that a stopping server disconnects go on.
 */
export function endWhenGone(
  { stopping }: Pick<ServerState, 'stopping'>,
  process: ProcessHandle,
  gone: AbortSignal,
): () => void {
  const end = () => {
    if (!stopping.aborted) void endAbandoned(process)
  }
  if (gone.aborted) end()
  else gone.addEventListener('abort', end, { once: true })
  return () => gone.removeEventListener('abort', end)
}

/** Ends a process as when its terminal is closed, with all that it has started. Its record says `disconnected`. */
export async function endAbandoned(process: ProcessHandle): Promise<void> {
  await process.kill('SIGHUP', 'tree', 'disconnected').catch(() => {})
  setTimeout(() => void process.kill('SIGKILL', 'tree').catch(() => {}), limits.stopGraceMs).unref()
}
