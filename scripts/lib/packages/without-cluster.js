import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const settings = '/etc/postgresql-common/createcluster.conf'
const defaultSettings = '/usr/share/postgresql-common/createcluster.conf'

/**
 * Installs Debian's PostgreSQL without the server that the package starts by itself: the tests start their own. Where
 * the host has settings for new servers already, these decide.
 * @template T
 * @param {() => Promise<T>} install
 * @returns {Promise<T>}
 */
export async function withoutCluster(install) {
  if (existsSync(settings)) return install()
  mkdirSync(dirname(settings), { recursive: true })
  writeFileSync(settings, 'create_main_cluster = false\n')
  try {
    return await install()
  } finally {
    if (existsSync(defaultSettings)) copyFileSync(defaultSettings, settings)
    else rmSync(settings)
  }
}
