import { printable } from './printable.ts'

export interface Column {
  title?: string
  align?: 'left' | 'right'
  /** The column may be cut to this many characters if the table is too wide. */
  shrinksTo?: number
  /** The column may be left out if cutting does not suffice; the lowest number goes first. */
  dropOrder?: number
}

const gap = 2

/**
 * Returns rows as aligned columns, two spaces apart; the last column is not padded. In a terminal of `width`
 * characters, columns that allow it are cut or left out until a line fits; other columns never are.
 */
export function table(columns: Column[], rows: string[][], width = Infinity): string {
  const titles = columns.some(({ title }) => title !== undefined) ? [columns.map(({ title = '' }) => title)] : []
  const lines = [...titles, ...rows].map((row) => row.map(printable))
  const shown = fit(columns, lines, width)
  return lines.map((line) => `${joinCells(line, shown).trimEnd()}\n`).join('')
}

interface ShownColumn extends Column {
  index: number
  width: number
}

function fit(columns: Column[], lines: string[][], width: number): ShownColumn[] {
  let shown = columns.map((column, index) => ({
    ...column,
    index,
    width: Math.max(0, ...lines.map((line) => lengthOf(line[index] ?? ''))),
  }))
  const excess = () => shown.reduce((sum, column) => sum + column.width + gap, -gap) - width
  const shrunk = (column: ShownColumn) => Math.min(column.width, Math.max(column.shrinksTo ?? Infinity, 1))
  const room = () => shown.reduce((sum, column) => sum + column.width - shrunk(column), 0)
  const droppable = shown
    .filter(({ dropOrder }) => dropOrder !== undefined)
    .toSorted((a, b) => a.dropOrder! - b.dropOrder!)
  for (const column of droppable) if (excess() > room()) shown = shown.filter((other) => other !== column)
  for (const column of shown) column.width = Math.max(shrunk(column), column.width - Math.max(0, excess()))
  return shown
}

function joinCells(cells: string[], columns: ShownColumn[]): string {
  return columns
    .map(({ index, width, align, shrinksTo }, place) => {
      const cell = shrinksTo === undefined ? (cells[index] ?? '') : cut(cells[index] ?? '', width)
      if (align === 'right') return cell.padStart(width)
      return place === columns.length - 1 ? cell : cell.padEnd(width)
    })
    .join(' '.repeat(gap))
}

function cut(text: string, width: number): string {
  return lengthOf(text) > width
    ? `${Array.from(text)
        .slice(0, Math.max(0, width - 1))
        .join('')}…`
    : text
}

function lengthOf(text: string): number {
  return Array.from(text).length
}
