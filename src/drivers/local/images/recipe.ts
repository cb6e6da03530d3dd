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
    /** Whom processes run as unless another is asked for; `setup.sh` makes the user. */
    user: Type.String({ pattern: '^[a-z_][a-z0-9_-]{0,31}$' }),
    workdir: Type.String({ pattern: '^/', maxLength: 1_000 }),
    /** Quotes, dollars and line ends would mean something in the files that login shells read. */
    env: Type.Record(
      Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
      Type.String({ pattern: '^[^\\n\'"$`\\\\]*$', maxLength: 4_000 }),
    ),
    /** Installed globally under /usr/local: `all`, and those of the architecture. No script of theirs runs. */
    npm: Type.Optional(
      Type.Object(
        { all: Type.Optional(npmPackages), x64: Type.Optional(npmPackages), arm64: Type.Optional(npmPackages) },
        { additionalProperties: false },
      ),
    ),
    /** Programs, or packages of them, by what they are for, as users are told of them; the build looks for each. */
    tools: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-zA-Z]{1,40}$' }),
        Type.Array(Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._+-]*$', maxLength: 100 }), { maxItems: 100 }),
      ),
    ),
    /** Paths that no package may bring, with `*` as a wildcard. Copyright notices stay. */
    leaveOut: Type.Optional(
      Type.Array(Type.String({ pattern: '^(?!.*\\.\\.)/[A-Za-z0-9._+*/-]+$' }), { maxItems: 100 }),
    ),
    /** Free space that a build asks for before it starts, in bytes. */
    freeBytes: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
)

export interface RecipePackage {
  name: string
  /** Left out where the distribution has none. */
  optional: boolean
}

export interface Recipe extends Static<typeof Settings> {
  /** The folder's name. */
  name: string
  /** Absolute. */
  directory: string
  packages: RecipePackage[]
}

/**
 * Reads a recipe's folder: `recipe.json`, `packages` and `setup.sh`. Rejects with `not_found` when there is none,
 * `invalid_request` that names the file and field when it can't be understood.
 */
export async function readRecipe(recipeDirectory: string): Promise<Recipe> {
  const directory = resolve(recipeDirectory)
  const name = basename(directory)
  if (!/^[a-z0-9](-?[a-z0-9]){0,39}$/.test(name)) {
    throw invalid(name, 'its folder must be named with up to 40 small letters, digits and single hyphens', 'name')
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
    throw invalid(name, `recipe.json is no JSON: ${(cause as Error).message}`, 'recipe.json')
  }
  if (Value.Check(Settings, settings)) return settings
  const errors = Value.Errors(Settings, settings)
  const error = errors.find((candidate) => candidate.instancePath !== '') ?? errors[0]
  const field = error?.instancePath.slice(1).replaceAll('/', '.') || 'recipe.json'
  throw invalid(name, `recipe.json: "${field}" ${error?.message ?? 'is wrong'}`, field)
}

/** One name a line; `#` begins a comment, `?` before a name marks it as optional. */
function parsePackages(recipe: string, text: string): RecipePackage[] {
  return text.split('\n').flatMap((line, index) => {
    const entry = line.replace(/#.*/, '').trim()
    if (entry === '') return []
    const optional = entry.startsWith('?')
    const name = optional ? entry.slice(1) : entry
    if (!new RegExp(packageName).test(name))
      throw invalid(recipe, `packages: line ${index + 1} has no package's name: "${entry}"`, 'packages')
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
