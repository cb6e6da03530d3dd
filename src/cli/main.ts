import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Compiled code is cached between calls, where nobody else can write. This saves most of the start-up time.
if (!getCompileCacheDir()) {
  enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'carrel', 'compiled'))
}
const { cli } = await import('./cli.ts')
await cli(process.argv.slice(2))
