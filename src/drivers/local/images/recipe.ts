import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import Type from 'typebox'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { CarrelError } from '../../../errors.ts'

const recipeName = '^[a-z0-9](-?[a-z0-9]){0,39}$'
const packageName = '^[a-z0-9][a-z0-9.+-]*$'
const npmPackage = '^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*(@[A-Za-z0-9._^~-]+)?$'
const npmPackages = Type.Array(Type.String({ pattern: npmPackage }), { maxItems: 100 })

const Settings = Type.Object(
  {
    description: Type.String({ maxLength: 500 }),
    /** The recipe whose image this one adds to, by its folder's name. */
    from: Type.Optional(Type.String({ pattern: recipeName })),
    /** The user of processes unless another is requested; `setup.sh` creates it. */
    user: Type.Optional(Type.String({ pattern: '^[a-z_][a-z0-9_-]{0,31}$' })),
    workdir: Type.Optional(Type.String({ pattern: '^/', maxLength: 1_000 })),
    /** Quotes, dollar signs and line ends have a meaning in the files that login shells read. */
    env: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
        Type.String({ pattern: '^[^\\n\'"$`\\\\]*$', maxLength: 4_000 }),
      ),
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

export interface Recipe extends Omit<Static<typeof Settings>, 'from'> {
  /** The folder's name. */
  name: string
  /** The folder's absolute path. */
  directory: string
  packages: RecipePackage[]
  /** The recipe whose image this one adds to. */
  from?: Recipe
  user: string
  workdir: string
  env: Record<string, string>
}

/**
 * Reads the folder of a recipe: `recipe.json`, `packages` and `setup.sh`. A recipe `from` another one has that one's
 * user, working directory, variables and tools, except where it names its own. Throws `not_found` when a file is
 * missing, and `invalid_request` with the file and field when one is invalid.
 */
export function readRecipe(recipeDirectory: string): Promise<Recipe> {
  return read(resolve(recipeDirectory), 1)
}

async function read(directory: string, layers: number): Promise<Recipe> {
  const name = basename(directory)
  if (!new RegExp(recipeName).test(name)) {
    throw invalid(name, "its folder's name must have up to 40 lower-case letters, digits and single hyphens", 'name')
  }
  const { from, ...settings } = parseSettings(name, await readPart(directory, 'recipe.json'))
  const packages = parsePackages(name, await readPart(directory, 'packages'))
  await readPart(directory, 'setup.sh')
  if (layers > maxLayers) throw invalid(name, `more than ${maxLayers} recipes are built on each other`, 'from')
  const base = from === undefined ? undefined : await read(folderOf(from, directory), layers + 1)
  const { user = base?.user, workdir = base?.workdir, env = base && {} } = settings
  for (const [field, value] of Object.entries({ user, workdir, env }))
    if (value === undefined) throw invalid(name, `recipe.json: "${field}" is missing`, field)
  return {
    ...settings,
    name,
    directory,
    packages,
    user: user!,
    workdir: workdir!,
    env: { ...base?.env, ...env },
    ...(base ? { from: base } : {}),
    ...(base?.tools ? { tools: { ...base.tools, ...settings.tools } } : {}),
  }
}

/** Returns the folder of a recipe that another one names: beside that one, else among those that come with Carrel. */
function folderOf(name: string, directory: string): string {
  const beside = join(dirname(directory), name)
  return existsSync(beside) ? beside : join(ownRecipes, name)
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

const ownRecipes = fileURLToPath(new URL('../../../../images', import.meta.url))
/** Each recipe is a layer of the computer's overlay, of which the kernel allows only so many; a cycle has no end. */
const maxLayers = 8
