import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { hasDesktop } from '../../engine/computers/desktop/has-desktop.ts'
import { listPorts } from '../../engine/computers/ports/publish-port.ts'
import { certifyKey, issueCredentials } from '../../engine/computers/ssh/certificates/issue-certificate.ts'
import { hasSshServer, requireSshServer } from '../../engine/computers/ssh/has-ssh-server.ts'
import { requireSshAddress, requireSshEdge, sshAddress } from '../../engine/computers/ssh/ssh-address.ts'
import { vncAddress } from '../../engine/computers/desktop/vnc-address.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { pageOrigin } from '../../http/computer-pages.ts'
import { isoTime } from '../iso-time.ts'
import { computerParams } from './computer-schemas.ts'
import { portOf } from './port-routes.ts'
import {
  certificateAnswer,
  certificateBody,
  connectionAnswer,
  credentialsAnswer,
  credentialsBody,
} from './ssh-schemas.ts'

/** Adds the routes that say where to connect, and those that issue what a user connects with. */
export function addSshRoutes(app: App, engine: Engine): void {
  addConnection(app, engine)
  app.post(
    '/v1/computers/:id/ssh/certificates',
    {
      schema: { params: computerParams, body: certificateBody, response: { 201: certificateAnswer } },
      config: {
        documentation: {
          description: 'Mint an SSH certificate for a registered key',
          example: { ssh_key_id: 'k7w2m9x4c1v8n3q6t5hz', ttl_seconds: 900 },
          errors: ['conflict', 'not_found', 'limit_reached', 'no_capacity', 'not_set_up', 'other_node'],
          notes:
            'The certificate opens this computer alone. It ends early with the key, and with the token that asked for it; connections end, too.',
        },
      },
    },
    async ({ body, caller, params }, reply) => {
      const computer = await requireComputer(engine, caller, params.id, 'run')
      const address = await requireSshAddress(engine, computer)
      await requireSshServer(engine, computer)
      const wanted = { sshKeyId: body.ssh_key_id, lifeMs: milliseconds(body.ttl_seconds) }
      const { certificate, expiresAtMs } = await certifyKey(engine, computer, caller, wanted)
      void reply.status(201)
      return {
        authorized_key: certificate,
        ssh_user: address.user,
        ssh_host: address.host,
        ssh_port: address.port,
        expires_at: isoTime(expiresAtMs),
        host_public_key: engine.ssh.hostKey(computer.id).line,
      }
    },
  )
  app.post(
    '/v1/computers/:id/ssh-credentials',
    {
      schema: { params: computerParams, body: credentialsBody, response: { 201: credentialsAnswer } },
      config: {
        documentation: {
          description: 'Issue a short-lived SSH credential bundle for direct-edge connections',
          example: { ttl_seconds: 900 },
          errors: ['conflict', 'not_found', 'limit_reached', 'not_set_up', 'other_node'],
          notes:
            'Open TLS to edge_host and edge_port with the server name sni and ALPN ssh, and speak SSH inside it with the server of the computer.',
        },
      },
    },
    async ({ body, caller, params }, reply) => {
      const computer = await requireComputer(engine, caller, params.id, 'run')
      await requireSshServer(engine, computer)
      const edge = requireSshEdge(engine, computer)
      const issued = await issueCredentials(engine, computer, caller, { lifeMs: milliseconds(body?.ttl_seconds) })
      void reply.status(201)
      return {
        computer_id: computer.id,
        computer_handle: computer.row.name ?? '',
        ssh_user: computer.image.user,
        edge_host: edge.host,
        edge_port: edge.port,
        sni: edge.serverName,
        client_private_key: issued.key.toOpenSsh(),
        client_public_key: issued.key.line,
        client_certificate: issued.certificate,
        guest_host_public_key: engine.ssh.hostKey(computer.id).line,
        expires_at: isoTime(issued.expiresAtMs),
      }
    },
  )
}

function addConnection(app: App, engine: Engine): void {
  app.get(
    '/v1/computers/:id/connection',
    {
      schema: { params: computerParams, response: { 200: connectionAnswer } },
      config: {
        documentation: {
          description: 'Read connection metadata',
          errors: ['not_found', 'no_capacity', 'other_node'],
        },
      },
    },
    async ({ caller, params }) => {
      const computer = await requireComputer(engine, caller, params.id, 'look')
      const { sshPorts, sshEdgePort } = engine.settings
      const isAvailable =
        (sshPorts !== undefined || sshEdgePort !== undefined) && (await hasSshServer(engine, computer))
      const address = isAvailable ? await sshAddress(engine, computer) : undefined
      const origin = pageOrigin(engine.settings, computer.row)
      const vnc = vncAddress(engine, computer)
      const isVncAvailable = hasDesktop(computer.image)
      return {
        connection: {
          handle: computer.row.name ?? '',
          web_url: `${origin}/`,
          vnc_url: isVncAvailable ? `${origin}/desktop` : '',
          browser_available: true,
          vnc_available: isVncAvailable,
          vnc_host: vnc?.host ?? null,
          vnc_port: vnc?.port ?? null,
          vnc_user: vnc?.user ?? null,
          ssh_available: isAvailable,
          ssh_host: address?.host ?? null,
          ssh_port: address?.port ?? null,
          ssh_user: isAvailable ? computer.image.user : null,
          ssh_host_public_key: isAvailable ? engine.ssh.hostKey(computer.id).line : null,
        },
        ports: (await listPorts(engine, computer)).map((row) => portOf(engine, row)),
      }
    },
  )
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}
