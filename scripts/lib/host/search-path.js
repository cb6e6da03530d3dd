import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'

/** Where administrators' programs are; a root shell that came from `su` lacks them. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** PATH with the system's directories added where they are missing, in order. */
export function searchPath(path = process.env.PATH ?? '') {
  const directories = path.split(':').filter(Boolean)
  return [...new Set([...directories, ...systemDirectories])].join(':')
}

/**
 * True when the program can be run from `searchPath`.
 * @param {string} program
 */
export function hasProgram(program) {
  return searchPath()
    .split(':')
    .some((directory) => isExecutable(join(directory, program)))
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
