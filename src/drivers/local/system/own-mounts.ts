import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { call, CLONE_NEWNS, MNT_DETACH, MS_SLAVE } from './libc.ts'

/**
 * Gives this process and its children a mount namespace of their own. Where the host's mounts are shared, an unmount on
 * the host takes effect here as well, and an unmount here has no effect on the host. Where they are not shared, a
 * copy would keep a disk busy that the host has unmounted, for as long as anything of this server runs; so mounts that
 * are not needed are unmounted.
 *
 * @param dataDirectory is kept with all mounts below it
 * @param shared stays shared with the host, with all mounts below it
 */
export function takeOwnMounts(dataDirectory: string, shared: string): void {
  call('unshare', CLONE_NEWNS)
  const [data, common] = [realpathSync(dataDirectory), realpathSync(shared)]
  const targets = mountTargets(readFileSync('/proc/self/mountinfo', 'utf8')).filter((target) => !isIn(target, common))
  // Mounts can come and go meanwhile, and one can be hidden under another.
  const unreached = targets.filter((target) => !tried('mount', 'none', target, null, MS_SLAVE, null))
  const needed = {
    trees: [...systemTrees, data, realpathSync(project)],
    // Unmounting the parent of a mount that is not a slave could unmount that one on the host.
    folders: [...systemFolders, ...named(process.env), common, ...unreached],
  }
  for (const target of unneededMounts(targets, needed)) tried('umount2', target, MNT_DETACH)
}

function tried(...[name, ...args]: Parameters<typeof call>): boolean {
  try {
    call(name, ...args)
    return true
  } catch {
    return false
  }
}

interface Needed {
  /** Folders with all mounts below them. */
  trees: string[]
  /** Folders with the mounts on the way to them. */
  folders: string[]
}

/** Returns the mounts that can be unmounted, the innermost first. */
export function unneededMounts(targets: string[], { trees, folders }: Needed): string[] {
  return targets
    .filter((target) => !trees.some((tree) => isIn(target, tree)))
    .filter((target) => ![...trees, ...folders].some((folder) => isIn(folder, target)))
    .toReversed()
}

/** Returns all mount points in the order of `/proc/self/mountinfo`, which escapes blanks as octal numbers. */
export function mountTargets(mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .filter(Boolean)
    .map((line) =>
      line
        .split(' ')[4]!
        .replaceAll(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    )
}

function isIn(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`)
}

/** Returns the folders that environment variables name: temporary files, programs, an image's recipe. */
function named(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment)
    .filter(([name]) => name !== 'OLDPWD')
    .flatMap(([, value]) => value!.split(':'))
    .filter((path) => path.startsWith('/'))
}

const project = fileURLToPath(new URL('../../../..', import.meta.url))
/** Programs, their libraries and the kernel's file systems. */
const systemTrees = ['/proc', '/sys', '/dev', '/usr', '/etc', '/bin', '/sbin', '/lib', '/lib32', '/lib64']
/** Folders that programs of the host use. Other disks may be mounted below them. */
const systemFolders = ['/run', '/run/lock', '/run/netns', '/tmp', '/var/lib', '/var/cache', '/var/tmp', '/var/log']
