import { limits } from '../../../../config/limits.ts'
import { suggestion } from '../../../../suggestion.ts'
import { TaskProblem } from './task-problem.ts'

type Range = { min?: number; max?: number }

/** The fields of a table in a file of settings. What has the wrong type is refused with the file and the field. */
export class Fields {
  readonly #file: string
  readonly #path: string
  readonly #values: Record<string, unknown>

  constructor(file: string, values: unknown, path = '') {
    this.#file = file
    this.#path = path
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw new TaskProblem('has to be a table of fields', { file, field: path })
    this.#values = values as Record<string, unknown>
  }

  get names(): string[] {
    return Object.keys(this.#values)
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined
  }

  /** Returns a value of any type; null counts as missing. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined
  }

  fail(name: string, reason: string): never {
    throw new TaskProblem(reason, { file: this.#file, field: this.#path ? `${this.#path}.${name}` : name })
  }

  text(name: string): string | undefined {
    const value = this.raw(name)
    if (value === undefined || typeof value === 'string') return value
    return this.fail(name, 'has to be a text')
  }

  boolean(name: string): boolean | undefined {
    const value = this.raw(name)
    if (value === undefined || typeof value === 'boolean') return value
    return this.fail(name, 'has to be true or false')
  }

  number(name: string, { min = -Infinity, max = Infinity }: Range = {}): number | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isFinite(value)) return this.fail(name, 'has to be a number')
    if (value < min || value > max) return this.fail(name, `has to be from ${min} to ${max}`)
    return value
  }

  /** Returns a number of seconds in milliseconds; `min` is in seconds. */
  seconds(name: string, { min = 0.001 }: Pick<Range, 'min'> = {}): number | undefined {
    const seconds = this.number(name, { min, max: limits.taskTimeoutMs / 1000 })
    return seconds === undefined ? undefined : Math.round(seconds * 1000)
  }

  /** Returns a number of MiB in bytes. */
  mebibytes(name: string): number | undefined {
    const count = this.number(name, { min: 1, max: maxMebibytes })
    return count === undefined ? undefined : Math.round(count * 1024 ** 2)
  }

  /** Returns a size such as `512M` or `2G` in bytes. */
  size(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) *([KMGT]?)i?B?$/i.exec(text.trim()) ?? []
    const bytes = Number(digits) * 1024 ** ('KMGT'.indexOf(unit.toUpperCase()) + (unit ? 1 : 0))
    if (!Number.isFinite(bytes) || bytes < 1 || bytes > maxMebibytes * 1024 ** 2)
      return this.fail(name, 'has to be a size such as "512M" or "2G"')
    return Math.round(bytes)
  }

  one<const Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const value = this.text(name)
    if (value === undefined || values.includes(value as Value)) return value as Value | undefined
    return this.fail(name, `has to be one of ${values.map((one) => `"${one}"`).join(', ')}`)
  }

  list(name: string): unknown[] {
    const value = this.raw(name) ?? []
    return Array.isArray(value) ? value : this.fail(name, 'has to be a list')
  }

  texts(name: string): string[] {
    return this.list(name).map((value) =>
      typeof value === 'string' ? value : this.fail(name, 'has to be a list of texts'),
    )
  }

  /** Returns a table; an empty one when it is missing. */
  table(name: string): Fields {
    return new Fields(this.#file, this.raw(name) ?? {}, this.#path ? `${this.#path}.${name}` : name)
  }

  tables(name: string): Fields[] {
    return this.list(name).map((_, index) => this.tableAt(name, index))
  }

  /** Returns a table of a list. */
  tableAt(name: string, index: number): Fields {
    return new Fields(this.#file, this.list(name)[index], `${this.#path ? `${this.#path}.` : ''}${name}[${index}]`)
  }

  /** Refuses fields of other names, for a format whose misspelt settings must not be ignored. */
  refuseOthers(known: readonly string[]): void {
    const other = this.names.find((name) => !known.includes(name))
    if (other === undefined) return
    this.fail(other, `is not a setting${suggestion(other, [...known]) || `: it has to be one of ${known.join(', ')}`}`)
  }
}

const maxMebibytes = 16 * 1024 ** 2
