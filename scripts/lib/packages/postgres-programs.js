import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isExecutable } from '../host/search-path.js'

/** Debian keeps the programs of each major version in a folder of its own, outside of PATH. */
const debianFolder = '/usr/lib/postgresql'
const minMajor = 14

/** The programs of a server that the tests run themselves. */
export const serverPrograms = ['initdb', 'postgres', 'createuser']

/** Returns the folder with the programs of the newest PostgreSQL server that Carrel can use, undefined without one. */
export function postgresPrograms(folder = debianFolder) {
  return majorsIn(folder)
    .filter((major) => major >= minMajor)
    .toSorted((a, b) => b - a)
    .map((major) => join(folder, String(major), 'bin'))
    .find((programs) => serverPrograms.every((program) => isExecutable(join(programs, program))))
}

/** @param {string} folder */
function majorsIn(folder) {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}
