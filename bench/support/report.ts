import { isMet, type Measurement, type Outcome } from './measurement.ts'

const head = ['work', 'Carrel', 'p99', 'against', 'median', 'p99', 'result', 'goal', '', 'n'] as const

/** Returns the table for a terminal. */
export function textTable(outcomes: readonly Outcome[]): string {
  const rows = [[...head], ...measurements(outcomes).map(cells)]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, ...notes(outcomes)].join('\n')
}

export function markdownTable(outcomes: readonly Outcome[]): string {
  const row = (cellsOfRow: readonly string[]) => `| ${cellsOfRow.join(' | ')} |`
  return [
    row(head),
    row(head.map(() => '---')),
    ...measurements(outcomes).map((measurement) => row(cells(measurement))),
    '',
    ...notes(outcomes).map((note) => `- ${note}`),
  ].join('\n')
}

function measurements(outcomes: readonly Outcome[]): Measurement[] {
  return outcomes.filter((outcome) => 'carrel' in outcome)
}

function cells(measurement: Measurement): string[] {
  const { work, unit, carrel, against, result, goal } = measurement
  return [
    work,
    `${figure(carrel.median)} ${unit}`,
    figure(carrel.p99),
    against?.name ?? '',
    against ? `${figure(against.values.median)} ${unit}` : '',
    against ? figure(against.values.p99) : '',
    figure(result),
    `${goal.is === 'at most' ? '≤' : '≥'} ${goal.value} ${goal.of}`,
    isMet(measurement) ? 'met' : 'NOT MET',
    String(carrel.count),
  ]
}

function notes(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => {
    if ('why' in outcome) return [`${outcome.work}: not measured, ${outcome.why}`]
    return outcome.note ? [`${outcome.work}: ${outcome.note}`] : []
  })
}

function figure(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
