import type { Settings } from '../../config/settings.ts'
import type { Surface } from '../surface.ts'
import type { OpenApiDocument } from './document.ts'

/** The parts from which every page of the documentation is made. */
export interface DocumentParts {
  surfaces: readonly Surface[]
  /** Returns the reference of a surface. */
  reference: (surface: Surface) => OpenApiDocument
  /** The origin at which the reader reaches the server. */
  origin: string
  settings: Settings
  /** The address of the search index, which changes with its content. */
  searchUrl: string
}
