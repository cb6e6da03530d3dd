import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel, TopUp } from '../../../sdk/index.ts'
import { centsOf } from '../cents.ts'
import { dollars } from '../dollars.ts'
import { openClient } from '../open-client.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const defaultTier = 'starter'

export const topup: Verb = {
  usage: 'topup [options] [amount]',
  description: `
Prints a link at which a person pays for credit (POST /api/v1/credits/topup). The amount is a package, such as micro,
starter, pro or scale, or dollars, such as 20 or 7.50; the default is ${defaultTier}. With --wait it waits up to an hour
for the credit to arrive and then shows it.`,
  examples: [
    ['topup 20', 'a link for paying $20'],
    ['topup starter --wait', 'a package, and wait for the credit'],
  ],
  options: { wait: { type: 'boolean', help: 'Wait until the balance shows the credit' } },
  shared: ['timeout', 'json'],
  operands: [0, 1],
  takesAmount: true,
  async run({ program, values, operands: [amount = defaultTier] }) {
    const client = await openClient(program, values)
    const before = values['wait'] ? await creditOf(client) : 0
    const begun = await begin(client, amount)
    const { checkoutUrl, amountCents, creditsAdded } = begun
    if (!values.json)
      await program.stderr.line(`Pay ${dollars(amountCents / 100)} for ${dollars(creditsAdded)} of credit:`)
    await program.stdout.line(values.json ? JSON.stringify(begun) : checkoutUrl)
    if (!values['wait']) return 0
    if (!values.json) await program.stderr.line('Waiting for the payment …')
    const credit = await waitFor(client, before, begun)
    if (credit === undefined) {
      await program.stderr.line(`${program.name}: Nobody paid within an hour, and the link has expired`)
      return 1
    }
    await program.stdout.line(
      values.json ? JSON.stringify({ creditsRemaining: credit }) : `Credits  ${dollars(credit)}`,
    )
    return 0
  },
}

/** Begins a payment. If only programs can pay on this server, the error says so. */
async function begin(client: Carrel, amount: string): Promise<TopUp> {
  const cents = centsOf(amount)
  try {
    return await client.topUp(cents === undefined ? { tier: amount } : { amountCents: cents })
  } catch (error) {
    const code = error instanceof CarrelApiError ? error.code : ''
    if (code === 'VALIDATION_ERROR') throw await wrongAmount(client, amount, error)
    if (code !== 'NOT_SET_UP' || !(await client.takesMachinePayments().catch(() => false))) throw error
    throw new Error(
      `Cannot get a payment link: this server accepts payments from programs only; let an MPP client answer the challenge of POST ${client.baseUrl}/topup`,
      { cause: error },
    )
  }
}

/** Returns an error that lists what the server accepts instead. */
async function wrongAmount(client: Carrel, amount: string, cause: unknown): Promise<unknown> {
  const offer = await client.topUpOffer().catch(() => undefined)
  if (!offer) return cause
  const { minimumCents, maximumCents } = offer.customAmount
  const packages = offer.tiers.map(({ tier }) => tier).join(', ')
  return new UsageError(
    `Cannot top up by "${amount}": it has to be dollars, with no more than two decimals, from ${dollars(minimumCents / 100)} to ${dollars(maximumCents / 100)}, such as 20 or 7.50, or a package (${packages})`,
  )
}

/**
 * Returns the credit once it has grown by more than half of what was bought, whatever is used meanwhile; undefined if
 * it has not in time.
 */
async function waitFor(client: Carrel, before: number, { creditsAdded }: TopUp): Promise<number | undefined> {
  let lowest = before
  for (const end = Date.now() + maxWaitMs; Date.now() < end;) {
    const credit = await creditOf(client)
    if (credit - lowest > creditsAdded / 2) return credit
    lowest = Math.min(lowest, credit)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return undefined
}

async function creditOf(client: Carrel): Promise<number> {
  return Number((await client.balance()).creditsRemaining)
}

const pollMs = 2000
const maxWaitMs = 60 * 60 * 1000
