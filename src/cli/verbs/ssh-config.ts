import type { Carrel, Computer } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import type { Program } from '../program.ts'
import { edgeOptions, ownCommand, portOptions, prepare, type SshOptions } from '../ssh/ssh-options.ts'
import type { Verb } from '../verb.ts'

export const sshConfig: Verb = {
  usage: 'ssh-config [options] [<computer>]...',
  description: `
Prints an entry of ~/.ssh/config for each computer, or for those that are named. With it ssh, scp, sftp, rsync, VS Code
and Ansible connect by the computer's handle, and start it if it does not run.

Put the entries into a file of their own and include that at the top of ~/.ssh/config, so that they can be renewed:
Include carrel.conf`,
  examples: [
    ['ssh-config > ~/.ssh/carrel.conf', 'entries for all computers'],
    ['ssh-config build', 'one of them'],
  ],
  options: {},
  shared: ['timeout'],
  operands: [0, Infinity],
  async run({ program, values, operands }) {
    const client = await openClient(program, values)
    const computers =
      operands.length > 0
        ? await Promise.all(operands.map((name) => client.computers.get(name)))
        : await client.computers.list()
    for (const computer of computers) await program.stdout.write(await entryOf(program, client, computer))
    return 0
  },
}

/** Returns the entry of a computer. By the TLS port, ssh first has this program start it and get a key. */
async function entryOf(program: Program, client: Carrel, computer: Computer): Promise<string> {
  const { handle } = computer
  const connection = await client.computers.connection(computer.id)
  if (!(await prepare(program, client, computer)))
    return `Host ${handle}\n${linesOf(await portOptions(program, computer, connection))}\n`
  const options = edgeOptions(program, computer, connection.ssh_user ?? 'root')
  // The entry names the host for programs that list hosts; the condition below runs before ssh reads its key.
  return `Host ${handle}\n${linesOf(options)}Match originalhost ${handle} exec "${ownCommand()} ssh --prepare ${handle}"\n\n`
}

function linesOf(options: SshOptions): string {
  return Object.entries(options)
    .map(([name, value]) => `  ${name} ${value}\n`)
    .join('')
}
