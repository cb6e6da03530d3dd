import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import Type from 'typebox'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { CarrelError } from '../../../errors.ts'

const packageName = '^[a-z0-9][a-z0-9.+-]*$'
const npmPackage = '^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*(@[A-Za-z0-9._^~-]+)?$'
const npmPackages = Type.Array(Type.String({ pattern: npmPackage }), { maxItems: 100 })

const Settings = Type.Object(
  {
    description: Type.String({ maxLength: 500 }),
    /** The user of processes unless another is requested; `setup.sh` creates it. */
    user: Type.String({ pattern: '^[a-z_][a-z0-9_-]{0,31}$' }),
    workdir: Type.String({ pattern: '^/', maxLength: 1_000 }),
    /** Quotes, dollar signs and line ends have a meaning in the files that login shells read. */
    env: Type.Record(
      Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
      Type.String({ pattern: '^[^\\n\'"$`\\\\]*$', maxLength: 4_000 }),
    ),
    /** Installed globally in /usr/local: `all`, and those of the architecture. Their scripts do not run. */
    npm: Type.Optional(
      Type.Object(
        { all: Type.Optional(npmPackages), x64: Type.Optional(npmPackages), arm64: Type.Optional(npmPackages) },
        { additionalProperties: false },
      ),
    ),
    /** Programs or packages by purpose, which users are shown. The build fails when one is missing. */
    tools: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-zA-Z]{1,40}$' }),
        Type.Array(Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._+-]*$', maxLength: 100 }), { maxItems: 100 }),
      ),
    ),
    /** Paths that packages may not install, with `*` as a wildcard. Copyright notices stay. */
    leaveOut: Type.Optional(
      Type.Array(Type.String({ pattern: '^(?!.*\\.\\.)/[A-Za-z0-9._+*/-]+$' }), { maxItems: 100 }),
    ),
    /** Free space that a build requires before it starts. */
    freeBytes: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
)

export interface RecipePackage {
  name: string
  /** Omitted when the distribution does not have it. */
  optional: boolean
}

export interface Recipe extends Static<typeof Settings> {
  /** The folder's name. */
  name: string
  /** The folder's absolute path. */
  directory: string
  packages: RecipePackage[]
}

/**
 * Reads the folder of a recipe: `recipe.json`, `packages` and `setup.sh`. Throws `not_found` when a file is missing,
 * and `invalid_request` with the file and field when one is invalid.
 */
export async function readRecipe(recipeDirectory: string): Promise<Recipe> {
  const directory = resolve(recipeDirectory)
  const name = basename(directory)
  if (!/^[a-z0-9](-?[a-z0-9]){0,39}$/.test(name)) {
    throw invalid(name, "its folder's name must have up to 40 lower-case letters, digits and single hyphens", 'name')
  }
  const settings = parseSettings(name, await readPart(directory, 'recipe.json'))
  const packages = parsePackages(name, await readPart(directory, 'packages'))
  await readPart(directory, 'setup.sh')
  return { ...settings, name, directory, packages }
}

function parseSettings(name: string, text: string): Static<typeof Settings> {
  let settings: unknown
  try {
    settings = JSON.parse(text)
  } catch (cause) {
    throw invalid(name, `recipe.json is not valid JSON: ${(cause as Error).message}`, 'recipe.json')
  }
  if (Value.Check(Settings, settings)) return settings
  const errors = Value.Errors(Settings, settings)
  const error = errors.find((candidate) => candidate.instancePath !== '') ?? errors[0]
  const field = error?.instancePath.slice(1).replaceAll('/', '.') || 'recipe.json'
  throw invalid(name, `recipe.json: "${field}" ${error?.message ?? 'is wrong'}`, field)
}

/** Parses one name per line; `#` begins a comment, and `?` before a name marks it as optional. */
function parsePackages(recipe: string, text: string): RecipePackage[] {
  return text.split('\n').flatMap((line, index) => {
    const entry = line.replace(/#.*/, '').trim()
    if (entry === '') return []
    const optional = entry.startsWith('?')
    const name = optional ? entry.slice(1) : entry
    if (!new RegExp(packageName).test(name))
      throw invalid(recipe, `packages: line ${index + 1} is not the name of a package: "${entry}"`, 'packages')
    return [{ name, optional }]
  })
}

async function readPart(directory: string, file: string): Promise<string> {
  try {
    return await readFile(join(directory, file), 'utf8')
  } catch (cause) {
    throw new CarrelError(
      'not_found',
      `Cannot read recipe "${basename(directory)}": ${file} is missing in "${directory}"`,
      { cause },
    )
  }
}

function invalid(name: string, reason: string, field: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot read recipe "${name}": ${reason}`, { details: { field } })
}
