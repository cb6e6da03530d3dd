import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { SetupFailure } from '../setup-failure.js'

/**
 * Throws unless this is a data directory and its deletion is confirmed.
 * @param {import('./data-directory.js').DataDirectory} data
 * @param {boolean} isConfirmed
 */
export async function confirmDeletion({ path, isUsed }, isConfirmed) {
  if (!isUsed) throw new SetupFailure(`Cannot delete "${path}": no server of Carrel has used it; set CARREL_DATA.`)
  if (isConfirmed) return
  if (!process.stdin.isTTY)
    throw new SetupFailure(`Cannot ask whether to delete "${path}": there is no terminal; add --yes to confirm.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`Delete ${path} with all computers, files and accounts? Type "yes": `)
  terminal.close()
  if (answer.trim() !== 'yes') throw new SetupFailure('Nothing was ended or deleted.')
}

/** @param {import('./data-directory.js').DataDirectory} data */
export function deleteData(data) {
  const mounted = data.mountedBelow(data.path)
  // Deleting would include the content of the mounts.
  if (mounted.some((target) => target !== data.path))
    throw new SetupFailure(`Cannot delete "${data.path}": something is still mounted on ${mounted.join(', ')}.`)
  rmSync(data.path, { recursive: true, force: true })
}
