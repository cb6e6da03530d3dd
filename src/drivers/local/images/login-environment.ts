import { writeRootFile } from './root-files.ts'

/**
 * Gives SSH and login shells the variables that other processes start with: by /etc/environment, which PAM reads,
 * and by /etc/profile.d, after /etc/profile has set a PATH of its own.
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
