import { setTimeout as delay } from 'node:timers/promises'
import { transaction } from '../../../db/transaction.ts'
import { asCarrelError } from '../../../errors.ts'
import type { ReportProgress } from '../../operations/operations.ts'
import type { ComputersContext } from '../computers.ts'

/** The kind of the operation that builds the image. */
export const imageBuildKind = 'image.build'

/**
 * Begins to build the image of computers that keep their files, unless it exists or an operation of an earlier server
 * goes on with it.
 */
export async function beginDesktopImage(engine: ComputersContext): Promise<void> {
  const { db, node, operations, desktopImage, server } = engine
  if (await desktopImage.isReady()) return
  const row = await transaction(db, 'operational', async (trx) => {
    const running = await trx
      .selectFrom('operations')
      .selectAll()
      .where('node_id', '=', node.id)
      .where('state', '=', 'running')
      .where('kind', '=', imageBuildKind)
      .executeTakeFirst()
    const resource = { type: 'image', id: desktopImage.id }
    return (
      running ?? operations.insert(trx, { accountId: server.ownerId, actor: 'server', kind: imageBuildKind, resource })
    )
  })
  operations.begin(row)
}

/**
 * Builds the image, which is told in the log. What may pass, such as a mirror that does not answer, is tried again some
 * times; then it fails, and the next computer that needs the image, or the next server, tries anew.
 */
export async function buildDesktopImage(
  { desktopImage, log, server }: Pick<ComputersContext, 'desktopImage' | 'log' | 'server'>,
  report: ReportProgress,
  pausesMs: readonly number[] = retryPausesMs,
): Promise<{ image: string }> {
  const startedMs = Date.now()
  const { id: image } = desktopImage
  for (const pauseMs of [...pausesMs, undefined]) {
    try {
      let tenth = 0
      await desktopImage.prepare(({ step, fraction = 0 }) => {
        report(fraction, step)
        if (Math.floor(fraction * 10) <= tenth) return
        tenth = Math.floor(fraction * 10)
        log.info({ image, step, percent: tenth * 10 }, 'building the image of computers that keep their files')
      })
      log.info({ image, seconds: Math.round((Date.now() - startedMs) / 1000) }, 'the image is ready')
      return { image }
    } catch (error) {
      const { code, message } = asCarrelError(error)
      if (pauseMs === undefined || !passing.has(code)) {
        log.error({ err: error, image }, 'cannot build the image of computers that keep their files')
        throw error
      }
      const seconds = pauseMs / 1000
      log.warn({ image, reason: message, seconds }, 'cannot build an image now; will try again')
      report(0, `${message}; next attempt in ${seconds} s`)
      await delay(pauseMs, undefined, { ref: false, signal: server.closing })
    }
  }
  throw new Error('unreachable')
}

const passing: ReadonlySet<string> = new Set(['unavailable', 'no_capacity'])
const retryPausesMs = [60_000, 300_000, 900_000, 3_600_000]
