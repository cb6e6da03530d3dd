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
Prints a link by which a person pays for credit (POST /api/v1/credits/topup). The amount is a package, such as micro,
starter, pro or scale, or dollars, such as 20 or 7.50; without one it is ${defaultTier}. With --wait it goes on until
the credit is there, an hour at most, and then shows it.`,
  options: { wait: { type: 'boolean', help: 'Wait until the balance shows the credit' } },
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
      await program.stderr.line(`${program.name}: Nobody has paid within an hour, after which the link has expired`)
      return 1
    }
    await program.stdout.line(
      values.json ? JSON.stringify({ creditsRemaining: credit }) : `Credits  ${dollars(credit)}`,
    )
    return 0
  },
}

/** Where no person can pay but a program can, that is what there is to say. */
async function begin(client: Carrel, amount: string): Promise<TopUp> {
  const cents = centsOf(amount)
  try {
    return await client.topUp(cents === undefined ? { tier: amount } : { amountCents: cents })
  } catch (error) {
    const code = error instanceof CarrelApiError ? error.code : ''
    if (code === 'VALIDATION_ERROR') throw await wrongAmount(client, amount, error)
    if (code !== 'NOT_SET_UP' || !(await client.takesMachinePayments().catch(() => false))) throw error
    throw new Error(
      `Cannot get a link for paying: this server takes payments from programs alone; let an MPP client answer the challenge of POST ${client.baseUrl}/topup`,
      { cause: error },
    )
  }
}

/** With what the server takes instead. */
async function wrongAmount(client: Carrel, amount: string, cause: unknown): Promise<unknown> {
  const offer = await client.topUpOffer().catch(() => undefined)
  if (!offer) return cause
  const { minimumCents, maximumCents } = offer.customAmount
  const packages = offer.tiers.map(({ tier }) => tier).join(', ')
  return new UsageError(
    `Cannot top up by "${amount}": it has to be dollars, with no more than two decimals, from ${dollars(minimumCents / 100)} to ${dollars(maximumCents / 100)}, such as 20 or 7.50, or a package (${packages})`,
  )
}

/** What is left once it has grown by most of what was bought, however much runs meanwhile; undefined when it has not in time. */
async function waitFor(client: Carrel, before: number, { creditsAdded }: TopUp): Promise<number | undefined> {
  let lowest = before
  for (const end = Date.now() + longestWaitMs; Date.now() < end;) {
    const credit = await creditOf(client)
    if (credit - lowest > creditsAdded / 2) return credit
    lowest = Math.min(lowest, credit)
    await new Promise((resolve) => setTimeout(resolve, askEveryMs))
  }
  return undefined
}

async function creditOf(client: Carrel): Promise<number> {
  return Number((await client.balance()).creditsRemaining)
}

const askEveryMs = 2000
const longestWaitMs = 60 * 60 * 1000
