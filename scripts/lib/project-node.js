import { join } from 'node:path'
import { replaceProcess } from './replace-process.js'
import { project } from './project.js'

/**
 * Replaces this process by a script of the project, run by the project's own Node. Never returns.
 * @param {string} script relative to the project
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function becomeProjectScript(script, args, env = process.env) {
  // Caches compiled code between starts, which saves a third of the time until the server's first line.
  const NODE_COMPILE_CACHE = env.NODE_COMPILE_CACHE ?? join(project.modules, '.cache/node')
  return replaceProcess(project.node, [join(project.root, script), ...args], { ...env, NODE_COMPILE_CACHE })
}
