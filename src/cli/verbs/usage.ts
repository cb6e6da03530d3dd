import type { Usage, UsageLine } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { bar } from '../bar.ts'
import { dollars } from '../dollars.ts'
import { openClient } from '../open-client.ts'
import { table } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const groups = {
  day: { title: 'DAY', lines: ({ byDay }: Usage) => byDay },
  computer: { title: 'COMPUTER', lines: ({ byComputer }: Usage) => byComputer },
  key: { title: 'KEY', lines: ({ byKey }: Usage) => byKey },
  label: { title: 'LABEL', lines: ({ byLabel }: Usage) => byLabel },
}
type Group = keyof typeof groups

const mostDays = 366
const chartWidth = 30

export const usage: Verb = {
  usage: 'usage [options]',
  description: 'Shows what was used and what it cost, as a table and a bar chart.',
  options: {
    by: { type: 'string', value: '<what>', help: 'day, computer, key or label (default: day)' },
    days: { type: 'string', value: '<n>', help: 'How many days up to today, in UTC (default: 30)' },
  },
  operands: [0, 0],
  async run({ program, values }) {
    const by = groupOf(values['by'] as string | undefined)
    const days = parseCount(values['days'] as string | undefined, 'the number of days', mostDays)
    const report = await (await openClient(program, values)).usage({ days })
    await program.stdout.write(values.json ? `${JSON.stringify(report)}\n` : toText(report, by, program.stdout.width))
    return 0
  },
}

function groupOf(name = 'day'): Group {
  if (Object.hasOwn(groups, name)) return name as Group
  throw new UsageError(`Cannot show usage by "${name}": it is by ${Object.keys(groups).join(', ')}`)
}

function toText(report: Usage, by: Group, width?: number): string {
  const { title, lines } = groups[by]
  const found = lines(report)
  const period = `${report.from.slice(0, 10)} to ${report.to.slice(0, 10)}`
  if (found.length === 0) return `Nothing was used from ${period}.\n`
  const most = Math.max(...found.map(({ amountMicros }) => amountMicros))
  const rows = found.map((line) => [...cells(line), bar(line.amountMicros, most, chartWidth)])
  const totals = report.totals.map((line) => ['Total', ...cells(line).slice(1), ''])
  const columns = [
    { title, shrinksTo: 10 },
    { title: 'METER' },
    { title: 'USED', align: 'right' as const },
    { title: 'COST', align: 'right' as const },
    { shrinksTo: 10, dropOrder: 1 },
  ]
  return table(columns, [...rows, ...totals], width) + note(report)
}

function cells(line: UsageLine): string[] {
  const amount = line.quantity.toLocaleString('en', { maximumFractionDigits: 3 })
  return [line.name || line.of || '-', line.meter, `${amount} ${line.unit}`, dollars(line.amountMicros / 1_000_000)]
}

function note({ billed, creditsRemaining }: Usage): string {
  return billed
    ? `Credit left: ${dollars(creditsRemaining)}\n`
    : 'This account is not charged: the costs show what it would pay.\n'
}
