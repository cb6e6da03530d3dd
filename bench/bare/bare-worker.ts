import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openBare } from './container.ts'

/**
 * A process of its own, since the preparation takes it into another mount namespace. Prints the container's root, then
 * what the loop that times prints, for each line of stdin. Cleans up when stdin ends.
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
