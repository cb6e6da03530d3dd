import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'
import type { Lease } from '../engine/budgets/descriptor-budget.ts'
import type { AccessibleComputer } from '../engine/computers/access/open-computer.ts'
import { connectedComputer, noFiles, noServer, openServer } from '../engine/computers/ssh/open-server.ts'
import type { ServingProcess } from '../engine/computers/processes/connect-process.ts'
import { recordProof } from '../engine/computers/ssh/record-proof.ts'
import type { SshConnection } from '../engine/computers/ssh/ssh-connections.ts'
import type { Engine } from '../engine/engine.ts'
import { asCarrelError, CarrelError } from '../errors.ts'
import type { Admitted } from './admission.ts'
import { logLines } from './log-lines.ts'
import { readHello } from './read-hello.ts'
import { refuse } from './refuse.ts'
import { splice } from './splice.ts'

/**
 * Serves one connection from its first byte to its end: starts the computer's own SSH server for it, and passes bytes
 * between the two without reading them. Never rejects.
 */
export async function serveConnection(
  engine: Engine,
  { socket, computerId, admitted }: { socket: Duplex; computerId: string; admitted: Admitted },
): Promise<void> {
  socket.on('error', () => {})
  socket.once('close', admitted.leave)
  try {
    if (!(await readHello(socket))) return void socket.destroy()
    if (engine.server.stopping.aborted) throw new CarrelError('unavailable', 'The server is stopping')
    const computer = await connectedComputer(engine, computerId)
    const lease = takeDescriptors(engine, computer, admitted)
    socket.once('close', lease.release)
    const connection = admitToComputer(engine, computer, socket)
    socket.once('close', engine.ssh.connections.add(connection))
    const server = await openServer(engine, computer)
    if (socket.destroyed) return server.end()
    server.stdin.on('error', () => {})
    server.stdout.on('error', () => socket.destroy())
    socket.once('close', server.end)
    splice(socket, server)
    await follow(engine, connection, { server, socket, admitted })
  } catch (error) {
    const { code, message } = asCarrelError(error)
    if (code === 'internal') engine.log.error({ err: error, computer: computerId }, 'cannot serve an SSH connection')
    refuse(socket, code === 'internal' ? 'The server failed' : message)
  }
}

/** The socket and both pipes. A stranger takes them from the computer's share for visitors. */
function takeDescriptors(engine: Engine, { id, accountId }: AccessibleComputer, { network }: Admitted): Lease {
  const { descriptors } = engine.budgets
  return descriptors.take('connect', descriptors.sharesOf({ account: accountId, computer: id, visitor: network }), 3)
}

/**
 * Returns the connection, as the engine knows it. Of too many that have not proved anything, the oldest gives way.
 * Throws `limit_reached` when too many users are connected.
 */
function admitToComputer(engine: Engine, { id, accountId }: AccessibleComputer, socket: Duplex): SshConnection {
  const open = engine.ssh.connections.of(id)
  if (open.length >= limits.sshConnectionsPerComputer)
    throw new CarrelError('limit_reached', 'Too many connections to the computer are open')
  const unproven = open.filter(({ proof }) => !proof)
  if (unproven.length >= limits.sshUnprovenPerComputer) unproven[0]!.end('a newer connection took its place')
  return { computerId: id, accountId, proof: undefined, end: () => void socket.destroy() }
}

interface Parts {
  server: ServingProcess
  socket: Duplex
  admitted: Admitted
}

/** Reads the log of the server until it ends. A user has a time limit to prove who it is. */
async function follow(engine: Engine, connection: SshConnection, { server, socket, admitted }: Parts): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), limits.sshLoginMs)
  try {
    for await (const line of logLines(server.process)) {
      if (connection.proof) continue
      connection.proof = await recordProof(engine, connection, line)
      if (!connection.proof) continue
      clearTimeout(timer)
      admitted.leave()
    }
  } finally {
    clearTimeout(timer)
  }
  const { exitCode } = await server.process.wait()
  const reason = exitCode === null ? undefined : failures[exitCode]
  if (reason !== undefined && !socket.destroyed) refuse(socket, reason)
}

const failures: Record<number, string> = {
  [noServer]: 'The computer has no SSH server: install the package openssh-server in it',
  [noFiles]: 'The computer was started by an earlier version: restart it',
}
