import { hasProgram } from '../host/search-path.js'
import { hostNeeds } from './host-needs.js'
import { postgresPrograms, serverPrograms } from './postgres-programs.js'

/**
 * What the tests run on the host besides what Carrel runs: a PostgreSQL server.
 * @type {import('./host-needs.js').Need[]}
 */
export const testNeeds = [...hostNeeds, { choices: [{ package: 'postgresql', programs: serverPrograms }] }]

/**
 * Returns whether a program that the tests need is there.
 * @param {string} program
 */
export function hasTestProgram(program) {
  return serverPrograms.includes(program) ? postgresPrograms() !== undefined : hasProgram(program)
}
