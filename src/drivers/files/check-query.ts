import { CarrelError } from '../../errors.ts'
import type { SearchQuery } from '../driver.ts'
import { quote } from './computer-path.ts'

/** Throws `invalid_request` for a pattern that no program can be given, or that no line can contain. */
export function checkQuery({ pattern }: Pick<SearchQuery, 'pattern'>): void {
  const refuse = (why: string) => {
    throw new CarrelError('invalid_request', `Cannot search for ${quote(pattern)}: ${why}`, {
      details: { field: 'pattern' },
    })
  }
  if (pattern.includes('\0')) refuse('it has a NUL character')
  if (/[\n\r]/.test(pattern)) refuse('it has a line break, and lines are searched one by one')
  if (!pattern.isWellFormed()) refuse('it is not valid Unicode')
}
