import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** A program that has not failed by now has opened the browser, or is the browser. */
const failsWithinMs = 2_000

/** Opens a web page in the browser of this machine. Resolves with false where there is no display or no browser. */
export async function openBrowser(env: NodeJS.ProcessEnv, link: string): Promise<boolean> {
  const opener = openerOf(env)
  if (opener === undefined) return false
  const child = spawn(opener, [link], { env, stdio: 'ignore', detached: true })
  child.unref()
  try {
    const [exitCode = 0] = await Promise.race([once(child, 'exit'), delay(failsWithinMs, [])])
    return exitCode === 0
  } catch {
    return false
  }
}

/** Returns the program that opens web pages on the screen in front of the user; undefined without one. */
function openerOf(env: NodeJS.ProcessEnv): string | undefined {
  if (process.platform === 'darwin') return env['SSH_CONNECTION'] ? undefined : 'open'
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? 'xdg-open' : undefined
}
