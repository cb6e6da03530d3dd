import { dollars } from '../dollars.ts'
import { openClient } from '../open-client.ts'
import { emptyHint } from '../pay-hint.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'

export const balance: Verb = {
  usage: 'balance [options]',
  description: 'Shows the credit that is left, less running usage that is not charged yet.',
  examples: [],
  options: {},
  shared: ['timeout', 'json'],
  operands: [0, 0],
  async run({ program, values }) {
    const client = await openClient(program, values)
    const answer = await client.balance()
    const rows = [['Credits', dollars(answer.creditsRemaining)]]
    if (answer.tokenExpiresAt !== undefined) rows.push(['Token', `valid until ${shortTime(answer.tokenExpiresAt)}`])
    if (values.json) {
      await program.stdout.line(JSON.stringify(answer))
      return 0
    }
    const hint = await emptyHint(client, program.name, answer.creditsRemaining)
    if (hint !== undefined) rows.splice(1, 0, ['', hint])
    await program.stdout.write(table([{}, {}], rows))
    return 0
  },
}
