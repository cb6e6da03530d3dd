import { writeRootFile } from './root-files.ts'

/**
 * Gives SSH sessions and login shells the variables of other processes: through /etc/environment, which PAM reads, and
 * through /etc/profile.d, after /etc/profile has set its own PATH.
 */
export async function writeLoginEnvironment(root: string, env: Record<string, string>): Promise<void> {
  const entries = Object.entries(env)
  await writeRootFile(root, 'etc/environment', entries.map(([name, value]) => `${name}=${value}\n`).join(''))
  await writeRootFile(
    root,
    'etc/profile.d/image-env.sh',
    entries.map(([name, value]) => `export ${name}="${value}"\n`).join(''),
  )
}
