#!/usr/bin/env node
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Compiled code is cached between calls, where nobody else can write. This saves most of the start-up time.
// Node 20 has no such cache.
const { enableCompileCache, getCompileCacheDir }: Partial<typeof module> = module
if (!getCompileCacheDir?.()) enableCompileCache?.(join(cacheFolder(), 'carrel', 'compiled'))
const { cli } = await import('./cli.ts')
await cli(process.argv.slice(2))

/** Returns the user's folder for data that can be made again, as the operating system has it. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME
  if (process.platform === 'win32') return LOCALAPPDATA || join(homedir(), 'AppData', 'Local')
  return join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache')
}
