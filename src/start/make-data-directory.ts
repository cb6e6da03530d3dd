import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SettingError } from '../config/settings.ts'

/** Creates the data directory unless it exists. Throws a `SettingError` when the path cannot be a data directory. */
export function makeDataDirectory(path: string): void {
  try {
    make(path)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new SettingError(
      `Cannot start: CARREL_DATA is "${path}", ${reasons[code] ?? `where no folder can be created (${code})`}; set it to a writable folder`,
    )
  }
}

/**
 * Creates a directory and its parents. Node's own recursion never ends below /proc, where a parent exists but nothing
 * can be created in it.
 */
function make(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (!existsSync(parent)) make(parent)
  mkdirSync(path, { mode: 0o711 })
}

const reasons: Record<string, string> = {
  EEXIST: 'which is not a folder',
  ENOTDIR: 'which is below something that is not a folder',
  EACCES: 'which cannot be written',
  EPERM: 'which cannot be written',
  EROFS: 'which is on a read-only file system',
}
