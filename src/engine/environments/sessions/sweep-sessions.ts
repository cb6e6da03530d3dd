import type { SessionRow } from '../../../db/schema.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import { destroyComputer } from '../../computers/lifecycle/destroy.ts'
import type { EnvironmentsContext } from '../environments.ts'
import { endOverSession } from './end-session.ts'

/** Takes over the ready sessions of this node from an earlier server, once computers are reconciled. */
export async function recoverSessions(engine: EnvironmentsContext): Promise<void> {
  await sweepSessions(engine)
  for (const row of await readySessions(engine)) engine.sessionWatch.watch(row)
}

/**
 * Ends what should have ended, where a failure kept it from ending in time: ready sessions of this node whose time is over
 * or whose computer does not run, and computers whose session has ended.
 */
export async function sweepSessions(engine: EnvironmentsContext): Promise<void> {
  for (const { id, state, state_reason: reason } of await overSessions(engine)) {
    const runs = state === 'running' || state === 'paused'
    await endOverSession(engine, id, runs ? { why: 'expired' } : { why: 'stopped', reason: reason ?? undefined })
  }
  for (const { id } of await leftComputers(engine))
    await engine.locks.computer(id, () => destroyComputer(engine, id, 'server', 'its session has ended'))
}

function readySessions({ db, node }: Pick<EnvironmentsContext, 'db' | 'node'>): Promise<SessionRow[]> {
  return db.selectFrom('sessions').selectAll().where('node_id', '=', node.id).where('status', '=', 'ready').execute()
}

/** Returns the ready sessions whose time is over or whose computer does not run, with what their computer does. */
function overSessions({ db, node }: Pick<EnvironmentsContext, 'db' | 'node'>) {
  return db
    .selectFrom('sessions')
    .leftJoin('computers', (join) =>
      join.onRef('computers.id', '=', 'sessions.id').on('computers.node_id', '=', node.id),
    )
    .select(['sessions.id', 'computers.state', 'computers.state_reason'])
    .where('sessions.node_id', '=', node.id)
    .where('sessions.status', '=', 'ready')
    .where((eb) =>
      eb.or([
        eb('computers.state', 'is', null),
        eb('computers.state', 'not in', ['running', 'paused']),
        eb('sessions.expires_at', '<=', Date.now()),
      ]),
    )
    .execute()
}

function leftComputers({ db, node }: Pick<EnvironmentsContext, 'db' | 'node'>): Promise<{ id: string }[]> {
  return db
    .selectFrom('computers')
    .select('computers.id')
    .where('computers.node_id', '=', node.id)
    .where('computers.lifecycle', 'in', ofSessions)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('sessions')
            .select('sessions.id')
            .whereRef('sessions.id', '=', 'computers.id')
            .where('sessions.status', 'in', ['creating', 'ready']),
        ),
      ),
    )
    .execute()
}

const ofSessions = lifecyclesWhere(({ runsOnce }) => runsOnce)
