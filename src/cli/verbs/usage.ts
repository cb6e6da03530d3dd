import type { Usage, UsageLimit, UsageLine } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { bar } from '../bar.ts'
import { dollars } from '../dollars.ts'
import { openClient } from '../open-client.ts'
import { table, type Column } from '../table.ts'
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
/** Longest and shortest bar of the most expensive line, in characters. */
const chartWidth = 30
const leastChart = 6

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
  if (found.length === 0) return `Nothing was used from ${period}.\n${notes(report, width)}`
  const rows = found.map(cells)
  const totals = report.totals.map((line) => ['Total', ...cells(line).slice(1)])
  const { columns, chart } = layout(title, [...rows, ...totals], width)
  const most = Math.max(...found.map(({ amountMicros }) => amountMicros))
  const charted = rows.map((row, index) => [...row, bar(found[index]!.amountMicros, most, chart)])
  // For a person alone: programs find the day in each line.
  const blank = width === undefined ? [] : [[]]
  const body = width === undefined ? charted : withoutRepeats(charted)
  return table(columns, [...body, ...blank, ...totals], width) + notes(report, width)
}

/** The chart gets what is left of the line; where that is little, it goes before the quantities, which go before it. */
function layout(title: string, rows: string[][], width = Infinity) {
  const [name, meter, used, cost] = [
    { title, shrinksTo: 10 },
    { title: 'METER' },
    { title: 'USED', align: 'right' as const },
    { title: 'COST', align: 'right' as const },
  ] as const
  const all: Column[] = [name, meter, used, cost, {}]
  const widthOf = (column: number) =>
    Math.max(...rows.map((row) => row[column]!.length), all[column]!.title?.length ?? 0)
  const least = Math.min(widthOf(0), name.shrinksTo) + widthOf(1) + widthOf(3) + gap * 3
  const wide = width - least - widthOf(2) - gap
  const narrow = width - least
  if (wide >= leastChart)
    return { columns: all, chart: Math.min(chartWidth, Math.max(leastChart, wide - widthOf(0) + name.shrinksTo)) }
  if (narrow >= leastChart)
    return { columns: [name, meter, { ...used, dropOrder: 1 }, cost, {}], chart: Math.min(chartWidth, narrow) }
  return { columns: [name, meter, { ...used, dropOrder: 2 }, cost, { dropOrder: 1 }], chart: leastChart }
}

function withoutRepeats(rows: string[][]): string[][] {
  return rows.map((row, index) => (row[0] === rows[index - 1]?.[0] ? ['', ...row.slice(1)] : row))
}

function cells(line: UsageLine): string[] {
  const amount = line.quantity.toLocaleString('en', { maximumFractionDigits: 3 })
  return [line.name || line.of || '-', line.meter, `${amount} ${line.unit}`, dollars(line.amountMicros / 1_000_000)]
}

function notes({ billed, creditsRemaining, limits = [] }: Usage, width?: number): string {
  const credit = billed
    ? `Credit left: ${dollars(creditsRemaining)}\n`
    : 'This account is not charged: the costs show what it would pay.\n'
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

const gap = 2
