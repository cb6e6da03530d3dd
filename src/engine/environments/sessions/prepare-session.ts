import type { OperationRow, SessionRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import { assertRoom } from '../../computers/lifecycle/assert-room.ts'
import { ownComputer } from '../../computers/lifecycle/own-computer.ts'
import { startComputer } from '../../computers/lifecycle/start.ts'
import { assertHoldsNode, holdsNode } from '../../nodes/holds-node.ts'
import type { ReportProgress } from '../../operations/operations.ts'
import { findSampleVersion } from '../datasets/find-sample.ts'
import type { EnvironmentsContext } from '../environments.ts'
import { imageOf } from '../sample-images/image-of.ts'
import type { Task } from '../task.ts'
import { awaitHealthy } from './await-healthy.ts'
import { endSession } from './end-session.ts'
import { notReady } from './find-session.ts'
import { computerOfSession } from './sample-computer.ts'

export const sessionCreateKind = 'session.create'

/**
 * Makes a session ready: its image, its computer, and what the task asks for before an agent begins. When that fails,
 * the status of the session is `error`, with the reason, and nothing of it runs. Called again after a restart, it goes on
 * where it was.
 */
export async function prepareSession(
  engine: EnvironmentsContext,
  { resource_id: id, actor }: OperationRow,
  report: ReportProgress,
): Promise<null> {
  const session = await engine.db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
  if (session?.status !== 'creating') return null
  try {
    const sample = await findSampleVersion(engine, session.sample_version_id)
    if (!sample) throw new CarrelError('not_found', 'Cannot create the session: its sample was removed')
    report(0, 'Preparing the image')
    const image = await imageOf(engine, sample)
    report(0.5, 'Starting the computer')
    await startOwnComputer(engine, session, { task: sample.task, image, actor })
    await makeFolders(engine, id, sample.task)
    await awaitHealthy(engine, session, sample.task)
    await markReady(engine, id)
  } catch (error) {
    // The next server goes on with what this one gives up because it ends.
    if (engine.server.closing.aborted) throw error
    const { code, message } = asCarrelError(error)
    await endSession(engine, id, { status: 'error', error: { code, message }, actor: 'server' })
    throw error
  }
  return null
}

async function startOwnComputer(
  engine: EnvironmentsContext,
  session: SessionRow,
  { task, image, actor }: { task: Task; image: string; actor: string },
): Promise<void> {
  const { id } = session
  await engine.locks.computer(id, async () => {
    const row = (await ownComputer(engine, id)) ?? (await insertComputer(engine, session, task, image))
    if (row.state !== 'running') await startComputer(engine, row, actor)
  })
}

async function insertComputer(engine: EnvironmentsContext, session: SessionRow, task: Task, image: string) {
  const row = computerOfSession(engine, session, task, image)
  await transaction(engine.db, { kind: 'operational', queue: session.account_id }, async (trx) => {
    await assertHoldsNode(trx, engine.node)
    const now = await trx.selectFrom('sessions').select('status').where('id', '=', session.id).executeTakeFirst()
    if (now?.status !== 'creating') throw notReady(now ?? { status: 'closed' })
    await assertRoom(trx, session.account_id)
    await trx.insertInto('computers').values(row).execute()
  })
  return row
}

/** The folders of logs that a format promises to its tasks. */
const logFolders: Partial<Record<Task['format'], string[]>> = {
  harbor: ['/logs/agent', '/logs/verifier', '/logs/artifacts'],
  'terminal-bench': ['/logs', '/agent-logs'],
}

/** Makes the folders that are there when an agent begins: its work directory, and those of logs. */
async function makeFolders({ driver }: EnvironmentsContext, id: string, task: Task): Promise<void> {
  const files = driver.files(id)
  const { workdir } = task.environment
  if (workdir !== null) await files.makeDirectory(workdir)
  for (const folder of logFolders[task.format] ?? []) await files.makeDirectory(folder, { mode: 0o777 })
}

/** The time to live begins now. A session that was closed meanwhile has no computer any more. */
async function markReady(engine: EnvironmentsContext, id: string): Promise<void> {
  const row = await ownComputer(engine, id)
  if (row?.state !== 'running')
    throw new CarrelError('computer_stopped', 'Cannot make the session ready: its computer has stopped')
  const session = await engine.db
    .updateTable('sessions')
    .set((eb) => ({ status: 'ready', ready_at: row.started_at, expires_at: eb('ttl_ms', '+', Date.now()) }))
    .where('id', '=', id)
    .where('status', '=', 'creating')
    .where(holdsNode(engine.node))
    .returningAll()
    .executeTakeFirst()
  if (session) engine.sessionWatch.watch(session)
}
