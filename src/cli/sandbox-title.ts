import type { ChosenSandbox } from './settings.ts'

/** What stands for the sandbox without a name, which is another one than a sandbox that is named "default". */
export const defaultTitle = '(default)'

/** Returns the name of a sandbox and why it is the one in use, such as `build (CARREL_SESSION)`. */
export function sandboxTitle({ name, source }: ChosenSandbox = { name: undefined, source: undefined }): string {
  const reason = source?.startsWith('~') || source?.startsWith('/') ? `"use", saved in ${source}` : source
  return `${name || defaultTitle}${reason === undefined ? '' : ` (${reason})`}`
}
