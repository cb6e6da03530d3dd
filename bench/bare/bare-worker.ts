import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openBare } from './container.ts'

/**
 * Runs as a process of its own, since the preparation enters another mount namespace. Prints the container's root, then
 * the output of the timing loop for each line of stdin. Cleans up when stdin ends.
 */
const bare = await openBare(process.env)
try {
  const loop = fileURLToPath(new URL('runtime-loop.sh', import.meta.url))
  const { run, exec } = bare.argvFiles
  process.stdout.write(`${bare.root}\n`)
  await once(spawn('bash', [loop, run, exec], { stdio: 'inherit' }), 'exit')
} finally {
  await bare.close()
}
