import { emptyRootDirectory, writeRootFile } from './root-files.ts'

/**
 * Removes traces of the build machine from a root file system, and leaves files and directories over which a computer's
 * own can be mounted: names, resolvers, devices.
 */
export async function makeNeutral(root: string): Promise<void> {
  for (const directory of ['dev', 'proc', 'sys', 'run']) await emptyRootDirectory(root, directory)
  for (const directory of ['tmp', 'var/tmp']) await emptyRootDirectory(root, directory, 0o1777)
  for (const file of ['etc/resolv.conf', 'etc/hostname', 'etc/machine-id']) await writeRootFile(root, file, '')
  await writeRootFile(root, 'etc/hosts', '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n')
}
