import { printable } from './printable.ts'

export interface Column {
  title?: string
  align?: 'left' | 'right'
}

/** Rows as aligned columns, two spaces apart; the last column is as long as it is. */
export function table(columns: Column[], rows: string[][]): string {
  const titles = columns.some(({ title }) => title !== undefined) ? [columns.map(({ title = '' }) => title)] : []
  const lines = [...titles, ...rows].map((row) => row.map(printable))
  const widths = columns.map((_, index) => Math.max(0, ...lines.map((line) => line[index]?.length ?? 0)))
  return lines.map((line) => `${joinCells(line, columns, widths).trimEnd()}\n`).join('')
}

function joinCells(cells: string[], columns: Column[], widths: number[]): string {
  return cells
    .map((cell, index) => {
      const width = widths[index] ?? 0
      if (columns[index]?.align === 'right') return cell.padStart(width)
      return index === columns.length - 1 ? cell : cell.padEnd(width)
    })
    .join('  ')
}
