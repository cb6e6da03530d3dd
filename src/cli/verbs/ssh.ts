import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Carrel, Computer } from '../../../sdk/index.ts'
import { settled } from '../computers/wait.ts'
import { openClient } from '../open-client.ts'
import type { Program } from '../program.ts'
import { proxy } from '../ssh/proxy.ts'
import { edgeOptions, portOptions, prepare, type SshOptions } from '../ssh/ssh-options.ts'
import type { Call, Verb } from '../verb.ts'

export const ssh: Verb = {
  usage: 'ssh [options] <computer> [<command>]',
  description: `
Opens a shell in a computer by SSH, or runs a command in it, with this machine's OpenSSH. Starts the computer if it does
not run. No key has to be registered: the key is made for some minutes.

Options before the computer are this program's. For options of ssh itself, such as -L, and for scp, rsync and editors,
see "ssh-config".`,
  examples: [
    ['ssh build', 'a shell'],
    ['ssh build -- uname -a', 'a command'],
  ],
  options: {
    user: { type: 'string', short: 'u', value: '<user>', help: 'Log in as this user (default: that of the image)' },
    prepare: { type: 'boolean', help: 'Only start the computer and get a key, for entries of "ssh-config"' },
    proxy: { type: 'boolean', help: 'Only pass stdin and stdout to the computer, for entries of "ssh-config"' },
  },
  shared: ['timeout'],
  operands: [1, Infinity],
  takesCommand: true,
  async run(call) {
    const { program, values, operands } = call
    const [name = '', ...rest] = operands
    if (values['proxy']) return proxy(program, name)
    const client = await openClient(program, values)
    const computer = await settled(call, client, await client.computers.ensureReady(name))
    const hasKey = await prepare(program, client, computer)
    if (values['prepare']) return hasKey ? 0 : 1
    const options = await optionsFor(call, client, { computer, hasKey })
    const command = rest[0] === '--' ? rest.slice(1) : rest
    const exitCode = await runSsh(program, computer.handle, options, command)
    if (exitCode === sshFailed && !hasKey) await program.stderr.line(ownKeysNote)
    return exitCode
  },
}

/** The exit code of OpenSSH for a failure of its own. */
const sshFailed = 255
const ownKeysNote =
  'This server has no TLS port for SSH (CARREL_SSH_EDGE_PORT), so ssh used your own keys. POST /v1/ssh-keys registers one.'

async function optionsFor(
  { program, values }: Call,
  client: Carrel,
  { computer, hasKey }: { computer: Computer; hasKey: boolean },
): Promise<SshOptions> {
  const connection = await client.computers.connection(computer.id)
  const options = hasKey
    ? edgeOptions(program, computer, connection.ssh_user ?? 'root')
    : await portOptions(program, computer, connection)
  return typeof values['user'] === 'string' ? { ...options, User: values['user'] } : options
}

/** Runs OpenSSH with this terminal. Resolves with its exit code. */
async function runSsh(program: Program, host: string, options: SshOptions, command: string[]): Promise<number> {
  const args = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const child = spawn('ssh', [...args, '--', host, ...command], { stdio: 'inherit' })
  // Ctrl-C is for ssh and what it runs.
  const ignore = () => {}
  process.on('SIGINT', ignore)
  try {
    const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return exitCode ?? 128 + (signal ? constants.signals[signal] : 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error(`Cannot run ssh: OpenSSH's client is not installed; "${program.name} computers exec" needs none`, {
      cause: error,
    })
  } finally {
    process.off('SIGINT', ignore)
  }
}
