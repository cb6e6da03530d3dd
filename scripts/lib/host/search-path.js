import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'

/** Directories of administrators' programs, which a root shell from `su` lacks. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Returns PATH with the missing system directories appended in order. */
export function searchPath(path = process.env.PATH ?? '') {
  const directories = path.split(':').filter(Boolean)
  return [...new Set([...directories, ...systemDirectories])].join(':')
}

/**
 * Returns whether a program can be run from `searchPath`.
 * @param {string} program
 */
export function hasProgram(program) {
  return searchPath()
    .split(':')
    .some((directory) => isExecutable(join(directory, program)))
}

/**
 * Returns whether a file is a program.
 * @param {string} file
 */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
