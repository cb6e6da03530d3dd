import type { CarrelError, ErrorCode } from '../errors.ts'

/** How a surface says no. */
export interface ErrorForm {
  /** The path that it answers below, such as `/api/v1`; '' for all that no other has. */
  under: string
  /** What its schema is called in OpenAPI. */
  name: string
  /** The schema of the body. */
  schema: object
  body: (error: CarrelError, requestId: string) => Record<string, unknown>
  /** What a row of the error table is called there. */
  codeOf: (code: ErrorCode) => string
}

/** The form of the surface that a path, or an address with a query, belongs to. The last one has to be for all. */
export function errorFormOf(forms: readonly ErrorForm[], address: string): ErrorForm {
  const [path = ''] = address.split('?', 1)
  return forms.find(({ under }) => path === under || path.startsWith(`${under}/`)) ?? forms.at(-1)!
}
