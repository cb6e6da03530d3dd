import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const program = '/usr/sbin/sshd'

/** OpenSSH's server on the loopback of this host, with the same algorithms as that of a computer. */
export class HostSshd {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(port: number, process: ChildProcess) {
    this.port = port
    this.#process = process
  }

  /** Returns undefined where it is not installed. The caller's key opens root. */
  static async open(directory: string, publicKey: string, port: number): Promise<HostSshd | undefined> {
    if (!existsSync(program)) return undefined
    await mkdir('/run/sshd', { recursive: true })
    const file = (name: string) => join(directory, name)
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('host_key')])
    await writeFile(file('authorized'), publicKey)
    const settings = [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${file('host_key')}`,
      `AuthorizedKeysFile ${file('authorized')}`,
      'StrictModes no',
      'PermitRootLogin prohibit-password',
      'UsePAM yes',
      'KbdInteractiveAuthentication no',
      'PrintMotd no',
      'PidFile none',
      'Subsystem sftp internal-sftp',
    ]
    await writeFile(file('sshd_config'), `${settings.join('\n')}\n`)
    const child = spawn(program, ['-D', '-f', file('sshd_config')], { stdio: 'ignore' })
    await once(child, 'spawn')
    while (!(await accepts(port))) await delay(20)
    return new HostSshd(port, child)
  }

  [Symbol.dispose](): void {
    this.#process.kill()
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
