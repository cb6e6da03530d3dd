import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Compiled code is kept between calls, where nobody else can put any: it saves most of the start-up.
if (!getCompileCacheDir()) {
  enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'carrel', 'compiled'))
}
const { cli } = await import('./cli.ts')
await cli(process.argv.slice(2))
