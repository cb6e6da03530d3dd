import type { Usage, UsageLimit } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { dollars } from '../dollars.ts'
import { openClient } from '../open-client.ts'
import type { Program } from '../program.ts'
import { table } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import { usageGroups, usageTable, type Look, type UsageGroup } from '../usage-table.ts'
import type { Verb } from '../verb.ts'

const maxDays = 366

export const usage: Verb = {
  usage: 'usage [options]',
  description: 'Shows usage and its cost, as a table and a bar chart.',
  examples: [['usage --by computer --days 7', 'what each computer cost in a week']],
  options: {
    by: { type: 'string', value: '<what>', help: 'day, computer, key or label (default: day)' },
    days: { type: 'string', value: '<n>', help: 'Number of days up to today, in UTC (default: 30)' },
  },
  shared: ['timeout', 'json'],
  operands: [0, 0],
  async run({ program, values }) {
    const by = groupOf(values['by'] as string | undefined)
    const days = parseCount(values['days'] as string | undefined, 'the number of days', { max: maxDays })
    const report = await (await openClient(program, values)).usage({ days })
    await program.stdout.write(values.json ? `${JSON.stringify(report)}\n` : toText(report, by, lookOf(program)))
    return 0
  },
}

function groupOf(name = 'day'): UsageGroup {
  if (Object.hasOwn(usageGroups, name)) return name as UsageGroup
  throw new UsageError(`Cannot show usage by "${name}": it has to be one of ${Object.keys(usageGroups).join(', ')}`)
}

function lookOf({ stdout, env }: Program): Look {
  return { isTerminal: stdout.isTerminal, width: stdout.width, hasChart: stdout.isTerminal && !env['NO_COLOR'] }
}

function toText(report: Usage, by: UsageGroup, look: Look): string {
  const period = `${report.from.slice(0, 10)} to ${report.to.slice(0, 10)}`
  const shown = usageTable(report, by, look) ?? `Nothing was used from ${period}.\n`
  return shown + notes(report, look.width)
}

function notes({ billed, creditsRemaining, limits = [] }: Usage, width?: number): string {
  const credit = billed
    ? `Credit left: ${dollars(creditsRemaining)}\n`
    : 'This account is not charged: the costs are what it would pay.\n'
  return credit + table([{ shrinksTo: 10 }, { align: 'right' }, {}, { dropOrder: 1 }], limits.map(limitCells), width)
}

function limitCells({ keyId, name, period, limitMicros, spentMicros }: UsageLimit): string[] {
  return [
    keyId === undefined ? 'Limit' : `Limit of ${name || keyId}`,
    `${dollars(spentMicros / 1_000_000)} of ${dollars(limitMicros / 1_000_000)}`,
    period === 'day' ? 'today' : 'month',
    spentMicros >= limitMicros ? 'used up' : '',
  ]
}
