import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { call, CLONE_NEWNS, MNT_DETACH, MS_SLAVE } from './libc.ts'

/**
 * Gives this process, and what it starts, mounts of its own: what the host unmounts where its mounts are shared goes here
 * too, and nothing that is unmounted here goes there. Where they are not shared, a copy would keep a disk busy that the host
 * has unmounted, for as long as anything of this server runs: what is not needed is let go of.
 *
 * @param dataDirectory all of it is kept
 * @param shared stays one with the host's, and all below it
 */
export function takeOwnMounts(dataDirectory: string, shared: string): void {
  call('unshare', CLONE_NEWNS)
  const [data, common] = [realpathSync(dataDirectory), realpathSync(shared)]
  const targets = mountTargets(readFileSync('/proc/self/mountinfo', 'utf8')).filter((target) => !isIn(target, common))
  // Mounts come and go meanwhile, and one may lie under another.
  const unreached = targets.filter((target) => !tried('mount', 'none', target, null, MS_SLAVE, null))
  const needed = {
    trees: [...systemTrees, data, realpathSync(project)],
    // To unmount what one that is not a slave lies in could unmount it on the host.
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
  /** With whatever is mounted below. */
  trees: string[]
  /** With what is on the way to them. */
  folders: string[]
}

/** What can be unmounted, the innermost first. */
export function unneededMounts(targets: string[], { trees, folders }: Needed): string[] {
  return targets
    .filter((target) => !trees.some((tree) => isIn(target, tree)))
    .filter((target) => ![...trees, ...folders].some((folder) => isIn(folder, target)))
    .toReversed()
}

/** Where something is mounted, in the order of `/proc/self/mountinfo`, which writes blanks as octal numbers. */
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

/** Folders that settings and the shell name: temporary files, programs, an image's recipe. */
function named(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment)
    .filter(([name]) => name !== 'OLDPWD')
    .flatMap(([, value]) => value!.split(':'))
    .filter((path) => path.startsWith('/'))
}

const project = fileURLToPath(new URL('../../../..', import.meta.url))
/** Programs, their libraries, the kernel. */
const systemTrees = ['/proc', '/sys', '/dev', '/usr', '/etc', '/bin', '/sbin', '/lib', '/lib32', '/lib64']
/** What programs of the host use. Other disks may be mounted below. */
const systemFolders = ['/run', '/run/lock', '/run/netns', '/tmp', '/var/lib', '/var/cache', '/var/tmp', '/var/log']
