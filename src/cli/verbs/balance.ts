import { dollars } from '../dollars.ts'
import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'

export const balance: Verb = {
  usage: 'balance [options]',
  description: 'Shows the credit that is left, with what runs and is not charged yet taken off.',
  options: {},
  operands: [0, 0],
  async run({ program, values }) {
    const answer = await (await openClient(program, values)).balance()
    const rows = [['Credits', dollars(answer.creditsRemaining)]]
    if (answer.tokenExpiresAt !== undefined) rows.push(['Token', `valid until ${shortTime(answer.tokenExpiresAt)}`])
    await program.stdout.write(values.json ? `${JSON.stringify(answer)}\n` : table([{}, {}], rows))
    return 0
  },
}
