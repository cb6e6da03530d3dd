import { inspect } from 'node:util'

/** @typedef {{ file: string, name?: string, error?: unknown }} Failure a test of a file, or without a name the whole of it */

/** So many tests that failed alike are named. */
const namedAlike = 5

/** Failures by file and cause, for the end of a run, where a whole file that failed must not push the others out of sight. */
export class Failures {
  /** @type {Map<string, { file: string, cause: string, names: string[] }>} */
  #groups = new Map()

  get any() {
    return this.#groups.size > 0
  }

  /** @param {Failure} failure */
  add({ file, name, error }) {
    const cause = causeOf(error)
    const key = `${file}\n${cause}`
    const group = this.#groups.get(key) ?? { file, cause, names: [] }
    this.#groups.set(key, group)
    if (name !== undefined) group.names.push(name)
  }

  /** Lines for people: a file with a cause, and the tests below it. */
  get text() {
    return [...this.#groups.values()].flatMap(({ file, cause, names }) => describeGroup(file, cause, names)).join('\n')
  }
}

/**
 * @param {string} file
 * @param {string} cause
 * @param {string[]} names
 */
function describeGroup(file, cause, names) {
  const more = names.length - namedAlike
  return [
    `  ${file}${cause && `: ${cause}`}`,
    ...names.slice(0, namedAlike).map((name) => `    ✖ ${name}`),
    ...(more > 0 ? [`    ✖ and ${more} more`] : []),
  ]
}

/**
 * What went wrong, on one line.
 * @param {unknown} error
 */
function causeOf(error) {
  return messageOf(error).replaceAll(/\s+/g, ' ').trim().slice(0, causeLength)
}

/** @param {unknown} error */
function messageOf(error) {
  if (error === undefined) return ''
  if (error instanceof Error) return error.message
  return typeof error === 'string' ? error : inspect(error)
}

const causeLength = 300
