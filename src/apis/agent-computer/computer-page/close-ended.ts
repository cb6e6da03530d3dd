import { runsOnceSettled } from '../../../engine/computers/access/runs-once-settled.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { ClientSocket } from '../../../http/sockets/client-socket.ts'
import { closeCodes } from './page-visit.ts'

/** Closes a WebSocket whose program has ended: with `reason`, unless its computer has stopped or its session is over. */
export async function closeEnded(
  engine: Engine,
  socket: ClientSocket,
  computerId: string,
  reason: string,
): Promise<void> {
  await closeIfStopped(engine, socket, computerId)
  socket.close(closeCodes.failure, reason)
}

/**
 * Closes the WebSocket of a computer that has stopped. Waits for the change of the computer that is under way, so that
 * the end of its sessions closes the WebSocket first.
 */
export async function closeIfStopped(engine: Engine, socket: ClientSocket, computerId: string): Promise<void> {
  if (await runsOnceSettled(engine, computerId)) return
  socket.close(closeCodes.computerGone, 'the computer of the access session has stopped')
}
