import type { ChosenSandbox } from './settings.ts'

/** Returns the name of a sandbox and why it is the one in use, such as `build (CARREL_SESSION)`. */
export function sandboxTitle({ name, source }: ChosenSandbox = { name: undefined, source: undefined }): string {
  const reason = source?.startsWith('~') || source?.startsWith('/') ? `"use", saved in ${source}` : source
  return `${name || 'default'}${reason === undefined ? '' : ` (${reason})`}`
}
