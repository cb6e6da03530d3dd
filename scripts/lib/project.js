import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Where things are in this clone, and the least Node that runs it. Absolute paths. */
export const project = {
  root,
  modules: join(root, 'node_modules'),
  node: join(root, 'node_modules/.bin/node'),
  nodeMajor: 26,
}
