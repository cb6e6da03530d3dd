import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SettingError } from '../config/settings.ts'

/** Makes the data directory unless it is there. Throws a `SettingError` when it can't be one. */
export function makeDataDirectory(path: string): void {
  try {
    make(path)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new SettingError(
      `Cannot start: CARREL_DATA is "${path}", and ${reasons[code] ?? `no folder can be made there (${code})`}; set it to a folder that can be written`,
    )
  }
}

/** With its parents. Node's own recursion never ends below /proc, where a parent exists and nothing can be made in it. */
function make(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (!existsSync(parent)) make(parent)
  mkdirSync(path, { mode: 0o711 })
}

const reasons: Record<string, string> = {
  EEXIST: 'that is no folder',
  ENOTDIR: 'a part of that is no folder',
  EACCES: 'that cannot be written',
  EPERM: 'that cannot be written',
  EROFS: 'that is on a file system that is read-only',
}
