import { once } from 'node:events'
import { connect } from 'node:tls'
import { isWildcard } from '../config/listen-address.ts'
import type { Settings } from '../config/settings.ts'
import { probeExec } from '../engine/computers/processes/probe-exec.ts'
import type { Engine } from '../engine/engine.ts'
import { loopbackStatus } from './loopback-status.ts'

/** Adds the services that every server has to those that it checks. The server listens already. */
export function addUptimeProbes(engine: Engine): void {
  const { uptime, settings, server } = engine
  const address = ownAddress(settings)
  uptime.add('api', 'API', async (signal) => {
    await assertAnswers(200, loopbackStatus({ ...address, path: '/readyz', signal }))
    return 'operational'
  })
  uptime.add('exec', 'Computers', () => probeExec(engine))
  uptime.add('previews', 'Previews', async (signal) => {
    const host = `${noPreview}.${settings.previewDomain}`
    // The proxy answers for every name of its domain, also for one that no preview has.
    await assertAnswers(404, loopbackStatus({ ...address, path: '/', hostHeader: host, signal }))
    return 'operational'
  })
  uptime.add('database', 'Database', async () => {
    await engine.db.selectFrom('nodes').select('epoch').where('id', '=', engine.node.id).executeTakeFirstOrThrow()
    return server.helpers.all().every(({ status }) => status === 'ok') ? 'operational' : 'degraded'
  })
}

/** Adds the TLS port for SSH, where the server has one. It listens already. */
export function addSshProbe({ uptime, settings }: Engine): void {
  const { sshEdgePort: port } = settings
  if (port === undefined) return
  const { host } = ownAddress(settings)
  uptime.add('ssh', 'SSH', async (signal) => {
    // The edge serves names below its suffix alone, and refuses one that no computer has once TLS stands.
    const socket = connect({
      host,
      port,
      servername: `${noComputer}.${settings.sshSuffix}`,
      ALPNProtocols: ['ssh'],
      rejectUnauthorized: false,
    })
    try {
      await once(socket, 'secureConnect', { signal })
    } finally {
      socket.destroy()
    }
    return 'operational'
  })
}

async function assertAnswers(expected: number, answer: Promise<number>): Promise<void> {
  const status = await answer
  if (status !== expected) throw new Error(`Cannot use the service: it answers ${status} instead of ${expected}`)
}

/** Returns where the server reaches itself. */
function ownAddress({ host, port }: Pick<Settings, 'host' | 'port'>): { host: string; port: number } {
  if (!isWildcard(host)) return { host, port }
  return { host: host.includes(':') ? '::1' : '127.0.0.1', port }
}

/** A name that is well formed, so that the proxy looks it up, and that no computer ever gets: ids are random. */
const noComputer = '0'.repeat(20)
const noPreview = `1-${noComputer}-p1_v1`
