import type { Carrel, LimitChange, Limits, SpendingLimits } from '../../../sdk/index.ts'
import { bar } from '../bar.ts'
import { centsOf } from '../cents.ts'
import { dollars } from '../dollars.ts'
import { keyIdOf } from '../key-id-of.ts'
import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const chartWidth = 20

export const limits: Verb = {
  usage: 'limits [options]',
  description: `
Shows the spending limits of the workspace and its API keys for a day and a month, in UTC, and what is spent of them.
With an amount it sets a limit, which requires an admin.`,
  examples: [
    ['limits', 'the limits, and what is spent'],
    ['limits --day 5', 'at most $5 a day'],
    ['limits --month 20 --key ci', 'at most $20 a month for one key'],
  ],
  options: {
    day: { type: 'string', value: '<dollars>', help: 'The daily limit, such as 5 or 2.50; "none" removes it' },
    month: { type: 'string', value: '<dollars>', help: 'The monthly limit' },
    key: {
      type: 'string',
      value: '<key>',
      help: 'The API key that the limit is for, by its id or name (default: the whole workspace)',
    },
  },
  shared: ['timeout', 'json'],
  operands: [0, 0],
  async run({ program, values }) {
    const { key, ...own } = values as Record<string, string | undefined>
    const change = changeOf(own)
    if (key !== undefined && !change) throw new UsageError('The limit is missing: --day or --month')
    const client = await openClient(program, values)
    const found = change ? await client.changeLimits(await withKey(client, change, key)) : await client.limits()
    await program.stdout.write(values.json ? `${JSON.stringify(found)}\n` : toText(found, program.stdout.width))
    return 0
  },
}

function changeOf({ day, month }: Record<string, string | undefined>): Partial<Limits> | undefined {
  if (day === undefined && month === undefined) return undefined
  return {
    ...(day === undefined ? {} : { daily_limit_cents: cents(day) }),
    ...(month === undefined ? {} : { monthly_limit_cents: cents(month) }),
  }
}

/** Returns the change for the workspace, or for one of its keys. */
async function withKey(client: Carrel, change: Partial<Limits>, key: string | undefined): Promise<LimitChange> {
  return key === undefined ? change : { keys: [{ key_id: await keyIdOf(client, key), ...change }] }
}

function cents(text: string): number | null {
  if (text === 'none') return null
  const found = centsOf(text)
  if (found !== undefined) return found
  throw new UsageError(`Cannot use "${text}" as a limit: it has to be dollars, such as 5 or 2.50, or "none"`)
}

function toText(found: SpendingLimits, width?: number): string {
  const rows = [...rowsOf('Workspace', found), ...found.keys.flatMap((key) => rowsOf(key.name || key.key_id, key))]
  if (rows.length === 0) return 'There is no limit.\n'
  const columns = [
    { title: 'OF', shrinksTo: 10 },
    { title: 'PER' },
    { title: 'SPENT', align: 'right' as const },
    { title: 'LIMIT', align: 'right' as const },
    { dropOrder: 1 },
  ]
  return table(columns, rows, width)
}

function rowsOf(name: string, limits: Limits): string[][] {
  return [
    rowOf(name, 'day', limits.daily_spent_cents, limits.daily_limit_cents),
    rowOf(name, 'month', limits.monthly_spent_cents, limits.monthly_limit_cents),
  ].flatMap((row) => (row ? [row] : []))
}

function rowOf(name: string, period: string, spent: number | null, limit: number | null): string[] | undefined {
  if (limit === null) return undefined
  const used = spent ?? 0
  const share = limit === 0 ? 1 : Math.min(1, used / limit)
  const state = share === 1 ? 'used up' : `${Math.floor(share * 100)} %`
  return [name, period, dollars(used / 100), dollars(limit / 100), `${bar(share, 1, chartWidth)} ${state}`.trimStart()]
}
