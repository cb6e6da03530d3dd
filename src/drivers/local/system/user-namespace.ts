import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'
import { idMap } from './id-map.ts'

/**
 * Creates a user namespace with the map of computers, which exists until it is disposed of and as long as something is
 * in it or has it open.
 */
export async function holdUserNamespace(): Promise<Disposable & { pid: number }> {
  const holder = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'unshare', '--user', 'cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
  })
  if (holder.pid === undefined) throw (await once(holder, 'error'))[0]
  for (const part of [holder, holder.stdin]) part.on('error', () => {})
  holder.stdin.write('\n')
  const [began] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])
  if (!Buffer.isBuffer(began)) throw new CarrelError('internal', 'Cannot create a user namespace: "unshare" failed')
  const map = `0 ${idMap.firstHostId} ${idMap.count}`
  for (const kind of ['uid_map', 'gid_map']) await writeFile(`/proc/${holder.pid}/${kind}`, map)
  return { pid: holder.pid, [Symbol.dispose]: () => void holder.stdin.end() }
}
