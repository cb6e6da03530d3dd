import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const verifier = fileURLToPath(new URL('../../verify/main.ts', import.meta.url))

export const ledger: Verb = {
  usage: 'ledger verify',
  description: `
Checks the books in the data directory of the server on this machine (CARREL_DATA, else /var/lib/carrel), which may run
meanwhile: every transaction comes to zero, every balance is the sum of its entries, every interval of usage was charged once.
Exits with 1 when something is wrong.`,
  options: {},
  operands: [1, 1],
  async run({ program, values, operands: [what] }) {
    if (what !== 'verify') throw new UsageError(`Cannot do "${what}" with the ledger: the command is "ledger verify"`)
    const child = spawn(process.execPath, [verifier, ...(values.json ? ['--json'] : [])], {
      env: program.env,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [exitCode] = (await once(child, 'exit')) as [number | null]
    return exitCode ?? 1
  },
}
