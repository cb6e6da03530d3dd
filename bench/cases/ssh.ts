import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchCase } from '../support/case.ts'
import { createComputer } from '../support/computers.ts'
import { HostSshd } from '../support/host-sshd.ts'
import { interleave, timed } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'

const run = promisify(execFile)
const [firstPort, hostPort] = [45_000, 44_999]
const copiedMiB = 256

/** A connection and a copied file, by the TCP port of a computer, compared with sshd on the host's loopback. */
export const ssh: BenchCase = {
  name: 'ssh',
  about: `SSH connections, and scp of ${copiedMiB} MiB`,
  async run({ quick }) {
    const directory = mkdtempSync('/dev/shm/carrel-ssh-')
    try {
      const key = join(directory, 'key')
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
      const publicKey = readFileSync(`${key}.pub`, 'utf8')
      using host = await HostSshd.open(directory, publicKey, hostPort)
      if (!host) return [{ work: 'SSH', why: "OpenSSH's server is not installed on this host" }]
      const ports = `${firstPort}-${firstPort + 9}`
      await using server = await BenchServer.start({ CARREL_SSH_PORTS: ports, CARREL_MEMORY_OVERCOMMIT: '100' })
      const port = await computerPort(server, publicKey)
      return await compare({ directory, key, carrel: ['node', port], host: ['root', host.port] }, quick)
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
}

interface Sides {
  directory: string
  key: string
  carrel: [user: string, port: number]
  host: [user: string, port: number]
}

async function compare({ directory, key, carrel, host }: Sides, quick: boolean) {
  const file = join(directory, 'file')
  writeFileSync(file, randomBytes(copiedMiB * 1024 * 1024))
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'IdentitiesOnly=yes']
  const common = ['-i', key, ...options.flatMap((option) => ['-o', option])]
  // A subsystem needs no shell, whose start-up files are not the same on both sides.
  const login = (user: string, port: number) => () =>
    timed(() => run('ssh', [...common, '-n', '-p', String(port), '-s', `${user}@127.0.0.1`, 'sftp']))
  const copy = (user: string, port: number) => async () => {
    const to = `${user}@127.0.0.1:/dev/shm/carrel-bench-copy`
    const ms = await timed(() => run('scp', [...common, '-q', '-P', String(port), file, to]))
    return (copiedMiB * 1000) / ms
  }
  const logins = await interleave({ carrel: login(...carrel), host: login(...host) }, { rounds: quick ? 5 : 30 })
  const copies = await interleave(
    { carrel: copy(...carrel), host: copy(...host) },
    { rounds: quick ? 3 : 10, warmUp: 1 },
  )
  rmSync('/dev/shm/carrel-bench-copy', { force: true })
  const name = "sshd on the host's loopback"
  return [
    {
      work: 'SSH, from connecting to the end of a login',
      unit: 'ms' as const,
      carrel: logins.carrel,
      against: { name, values: logins.host },
      result: ratio(logins.carrel, logins.host),
      goal: { is: 'at most' as const, value: 1.5, of: `of ${name}` },
    },
    {
      work: `scp of ${copiedMiB} MiB`,
      unit: 'MiB/s' as const,
      carrel: copies.carrel,
      against: { name, values: copies.host },
      result: ratio(copies.carrel, copies.host),
      goal: { is: 'at least' as const, value: 0.8, of: `of ${name}` },
    },
  ]
}

/** Creates a computer, and returns its SSH port once it runs. */
async function computerPort(server: BenchServer, publicKey: string): Promise<number> {
  const computer = await createComputer(server, { guest: { authorized_keys: [publicKey] } })
  const { text } = await server.request('GET', `${computer}/connection`)
  return JSON.parse(text).connection.ssh_port
}
