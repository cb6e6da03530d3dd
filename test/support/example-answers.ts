import { writeFileSync } from 'node:fs'
import { surfaces } from '../../src/apis/surfaces.ts'
import { surfaceOf } from '../../src/http/surface.ts'

type Answers = Record<string, unknown>

/** True if answers are written into `example-answers.json` of their surfaces, in place of those that are there. */
export const isRecording = process.env['CARREL_RECORD_ANSWERS'] === '1'

/** Returns the answer that the documents show for a route, such as `POST /execute`, or for a message of `/ws`. */
export function shownAnswer(name: string): unknown {
  return answersOf(name)[name]
}

/**
 * Returns where a real answer lacks what the shown answer has, as paths of fields; none if it has all of it with the
 * same types. `null` and empty lists stand for anything.
 */
export function differences(shown: unknown, real: unknown, path = ''): string[] {
  if (shown === null || real === null) return []
  if (Array.isArray(shown)) {
    if (!Array.isArray(real)) return [path]
    if (shown.length === 0 || real.length === 0) return []
    // The elements of a list can have different fields.
    const each = real.map((element) => differences(shown[0], element, `${path}[]`))
    return each.find((lacking) => lacking.length === 0) ?? each[0]!
  }
  if (typeof shown !== typeof real || Array.isArray(real)) return [path]
  if (typeof shown !== 'object') return []
  return Object.entries(shown).flatMap(([name, value]) => {
    const field = (real as Answers)[name]
    return field === undefined ? [`${path}.${name}`] : differences(value, field, `${path}.${name}`)
  })
}

/** Replaces the shown answers of some routes by real ones, where the two differ. */
export function recordAnswers(real: Answers): void {
  for (const surface of surfaces) {
    const kept = Object.fromEntries(
      Object.entries(real).flatMap(([name, answer]) => {
        if (surfaceNamedBy(name) !== surface) return []
        const shown = surface.answers?.[name]
        const isSame = shown !== undefined && differences(shown, answer).length === 0
        return [[name, isSame ? shown : shortened(answer)]]
      }),
    )
    const file = new URL(`../../src/apis/${surface.name}/example-answers.json`, import.meta.url)
    const all = Object.entries({ ...surface.answers, ...kept }).toSorted(([a], [b]) => (a < b ? -1 : 1))
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`)
  }
}

function answersOf(name: string): Answers {
  return surfaceNamedBy(name).answers ?? {}
}

function surfaceNamedBy(name: string) {
  return surfaceOf(surfaces, /\S*\/\S*/.exec(name)![0])
}

/** Returns an answer as it is shown; only the outline of one that is a document itself. */
function shortened(answer: unknown): unknown {
  const short = briefly(answer)
  if (JSON.stringify(short).length <= maxAnswerCharacters) return short
  const fields = Object.entries(short as Answers).filter(([name]) => outline.has(name))
  return Object.fromEntries(fields.map(([name, value]) => [name, typeof value === 'string' ? value : {}]))
}

/** The fields of the discovery document and of OpenAPI that their schemas require. */
const outline = new Set(['name', 'baseUrl', 'endpoints', 'openapi', 'info', 'paths'])
const maxAnswerCharacters = 6_000

/** Returns an answer as short as readers want it, without secrets and without the port of a test server. */
function briefly(value: unknown): unknown {
  if (typeof value === 'string') return brieflyText(value)
  if (Array.isArray(value)) return value.slice(0, 2).map(briefly)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value)
  const shown = fields.length > maxFields ? fields.slice(0, 2) : fields
  return Object.fromEntries(shown.map(([name, field]) => [name, briefly(field)]))
}

function brieflyText(text: string): string {
  const neutral = text
    .replaceAll(/(\b(?:127\.0\.0\.1|localhost)):\d+/g, 'localhost:4280')
    .replaceAll(/\bpp_([a-z]+)_[\w-]{8,}/g, 'pp_$1_2hT9…')
  return neutral.length > maxCharacters ? `${neutral.slice(0, maxCharacters)}…` : neutral
}

const maxFields = 24
const maxCharacters = 240
