import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Absolute paths in this clone, and the minimum version of Node that runs it. */
export const project = {
  root,
  modules: join(root, 'node_modules'),
  node: join(root, 'node_modules/.bin/node'),
  nodeMajor: 26,
}
