import { Type } from 'typebox'
import { CarrelError } from '../../errors.ts'
import type { Surface } from '../surface.ts'

/** Returns the schema of the parameters of a route that serves a document for each surface. */
export function surfaceParams(surfaces: readonly Surface[]) {
  const description = `An API: ${surfaces.map(({ name }) => name).join(', ')}`
  return Type.Object(
    { surface: Type.String({ description, maxLength: 64, examples: [surfaces[0]!.name] }) },
    { additionalProperties: false },
  )
}

/** Returns the surface with a name. Throws `not_found` if there is none. */
export function surfaceNamed(surfaces: readonly Surface[], name: string): Surface {
  const found = surfaces.find((surface) => surface.name === name)
  if (found) return found
  throw new CarrelError('not_found', `Cannot find the documents of ${JSON.stringify(name)}: there is no such API`, {
    details: { field: 'surface' },
  })
}
