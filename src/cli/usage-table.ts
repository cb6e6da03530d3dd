import type { Usage, UsageLine } from '../../sdk/index.ts'
import { bar } from './bar.ts'
import { decimalsOf, dollars } from './dollars.ts'
import { printable } from './printable.ts'
import { table, type Column } from './table.ts'

export const usageGroups = {
  day: { title: 'DAY', lines: ({ byDay }: Usage) => byDay },
  computer: { title: 'COMPUTER', lines: ({ byComputer }: Usage) => byComputer },
  key: { title: 'KEY', lines: ({ byKey }: Usage) => byKey },
  label: { title: 'LABEL', lines: ({ byLabel }: Usage) => byLabel },
}
export type UsageGroup = keyof typeof usageGroups

/**
 * How to show the table: for a user at a terminal, or for a program, which gets a line of raw figures for each meter.
 */
export interface Look {
  isTerminal: boolean
  /** Width of the terminal in characters; undefined if unknown. */
  width: number | undefined
  hasChart: boolean
}

/** Usage of one day, computer, key or label: a line for each meter. */
interface Group {
  name: string
  micros: number
  lines: UsageLine[]
}

interface Row {
  cells: [name: string, meter: string, used: string]
  micros: number
  /** Only a row for a whole group has a bar. */
  isWhole: boolean
}

/** Maximum and minimum width of the longest bar, in characters. */
const chartWidth = 30
const minChart = 6
const dayMs = 86_400_000
/** A meter with at least this many seconds is shown in hours. */
const inHoursFromS = 36_000

/**
 * Returns the table of usage: days in order, everything else by cost, the highest first; undefined without any usage.
 */
export function usageTable(report: Usage, by: UsageGroup, look: Look): string | undefined {
  const { title, lines } = usageGroups[by]
  const found = groupsOf(lines(report), by)
  if (found.length === 0) return undefined
  const groups = by === 'day' && look.isTerminal ? withDaysBetween(found) : found
  const inHours = new Set(
    report.totals.filter(({ unit, quantity }) => unit === 's' && quantity >= inHoursFromS).map(({ meter }) => meter),
  )
  const rowsOf = (group: Group) => (look.isTerminal ? rowsForUser(group, inHours) : rowsForProgram(group))
  const rows = groups.flatMap(rowsOf)
  const totals = rowsOf({ name: 'Total', lines: report.totals, micros: sum(report.totals) })
  return draw(title, rows, totals, look)
}

function draw(title: string, rows: Row[], totals: Row[], { isTerminal, width, hasChart }: Look): string {
  const decimals = decimalsOf([...rows, ...totals].map(({ micros }) => micros / 1_000_000))
  const cells = [...rows, ...totals].map((row) => [...row.cells, dollars(row.micros / 1_000_000, decimals)])
  const { columns, chart } = layout(title, cells, hasChart, width)
  const maxMicros = Math.max(...rows.map(({ micros }) => micros))
  rows.forEach(({ isWhole, micros }, index) => {
    if (chart > 0 && isWhole) cells[index]!.push(bar(micros, maxMicros, chart))
  })
  const lines = table(columns, cells, width).split('\n')
  const longest = Math.max(...lines.map((line) => line.length))
  // The line is for users; programs have no use for it.
  if (isTerminal) lines.splice(1 + rows.length, 0, '─'.repeat(Math.min(longest, width ?? longest)))
  return lines.join('\n')
}

/**
 * Chooses columns and the width of the chart. First a long name is cut, then quantities are dropped, and finally the
 * chart.
 */
function layout(title: string, rows: string[][], hasChart: boolean, width = Infinity) {
  const columns: Column[] = [
    { title, shrinksTo: 10 },
    { title: 'METER' },
    { title: 'USED', align: 'right', dropOrder: 1 },
    { title: 'COST', align: 'right' },
  ]
  if (!hasChart) return { columns, chart: 0 }
  const [name, meter, used, cost] = columns.map(
    (column, index) =>
      Math.min(Math.max(column.title!.length, ...rows.map((row) => row[index]!.length)), column.shrinksTo ?? Infinity) +
      gap,
  ) as [number, number, number, number]
  const left = width - name - meter - cost
  const chart = Math.min(chartWidth, left - used >= minChart ? left - used : left)
  return chart < minChart ? { columns, chart: 0 } : { columns: [...columns, {}], chart }
}

function groupsOf(lines: UsageLine[], by: UsageGroup): Group[] {
  const together = new Map<string, UsageLine[]>()
  for (const line of lines) {
    const key = JSON.stringify([line.of, line.name])
    together.set(key, [...(together.get(key) ?? []), line])
  }
  const groups = [...together.values()].map((own) => ({
    name: nameOf(own[0]!, by),
    micros: sum(own),
    lines: by === 'day' ? own : own.toSorted((a, b) => b.amountMicros - a.amountMicros),
  }))
  return by === 'day' ? groups : groups.toSorted((a, b) => b.micros - a.micros)
}

/** Adds the days without usage between the first and the last day, as the chart shows time. */
function withDaysBetween(days: Group[]): Group[] {
  const known = new Map(days.map((day) => [day.name, day]))
  const [first, last] = [Date.parse(days[0]!.name), Date.parse(days.at(-1)!.name)]
  return Array.from({ length: (last - first) / dayMs + 1 }, (_, index) => {
    const name = new Date(first + index * dayMs).toISOString().slice(0, 10)
    return known.get(name) ?? { name, micros: 0, lines: [] }
  })
}

/** Returns the rows of a group for a user. If the group has several meters, its total cost comes first. */
function rowsForUser({ name, micros, lines }: Group, inHours: Set<string>): Row[] {
  const rows = lines.map((line): Row => ({
    cells: ['', line.meter.replaceAll('_', ' '), inHours.has(line.meter) ? hours(line) : quantity(line)],
    micros: line.amountMicros,
    isWhole: false,
  }))
  if (rows.length !== 1) return [{ cells: [name, '', ''], micros, isWhole: true }, ...rows]
  const [, ...rest] = rows[0]!.cells
  return [{ cells: [name, ...rest], micros, isWhole: true }]
}

/** Returns the rows of a group for a program, one for each meter. */
function rowsForProgram({ name, lines }: Group): Row[] {
  return lines.map((line) => ({
    cells: [name, line.meter, quantity(line)],
    micros: line.amountMicros,
    isWhole: false,
  }))
}

function nameOf({ of, name }: UsageLine, by: UsageGroup): string {
  const isDefault = name === '' && (by === 'computer' || by === 'label')
  return isDefault ? '(default)' : printable(name || of || '-')
}

function quantity(line: Pick<UsageLine, 'quantity' | 'unit'>): string {
  return `${line.quantity.toLocaleString('en', { maximumFractionDigits: 3 })} ${line.unit}`
}

function hours(line: UsageLine): string {
  const count = line.quantity / 3600
  return `${count.toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })} h`
}

function sum(lines: UsageLine[]): number {
  return lines.reduce((micros, { amountMicros }) => micros + amountMicros, 0)
}

const gap = 2
