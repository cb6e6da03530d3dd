import { CarrelError } from '../../../errors.ts'
import type { BuildPrograms } from './build-root.ts'
import { ProgramFailure } from './program.ts'
import type { Recipe } from './recipe.ts'
import { runInRoot } from './run-in-root.ts'

/** Throws `invalid_request` with the first tool that a recipe declares and its image lacks. */
export async function requireTools(
  { name, env, tools = {} }: Recipe,
  root: string,
  programs: BuildPrograms,
): Promise<void> {
  try {
    await runInRoot(root, ['/bin/sh', '-c', script, 'sh', ...Object.values(tools).flat()], { ...programs, env })
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error
    throw new CarrelError(
      'invalid_request',
      `Cannot build image "${name}": recipe.json declares the tool "${error.lines.at(-1)}", which is not in the image`,
      { details: { field: 'tools' }, cause: error },
    )
  }
}

/** A tool has the name of its program or of its package, such as ripgrep for rg. */
const script = `for tool; do
  command -v "$tool" > /dev/null || dpkg-query --show "$tool" > /dev/null 2>&1 || { echo "$tool"; exit 1; }
done`
