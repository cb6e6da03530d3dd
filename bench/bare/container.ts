/* oxlint-disable eslint/no-restricted-imports -- what Carrel is measured against is made of the local driver's own parts */
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { findProgram, Runtime } from '../../src/drivers/local/containers/runtime.ts'
import { hardware } from '../../src/drivers/local/containers/hardware.ts'
import { containerConfig, processObject } from '../../src/drivers/local/containers/config.ts'
import { openCgroups } from '../../src/drivers/local/cgroups/open-cgroups.ts'
import { LocalImages } from '../../src/drivers/local/images/local-images.ts'
import { mountOverlay, unmount } from '../../src/drivers/local/host/mounts.ts'
import { Slots } from '../../src/drivers/local/network/slots.ts'
import { Paths } from '../../src/drivers/local/paths.ts'
import { openPool } from '../../src/drivers/local/storage/pool.ts'
import { resolveUser } from '../../src/drivers/local/processes/resolve-user.ts'
import { Volumes } from '../../src/drivers/local/storage/volumes.ts'
import { environment } from '../../src/engine/computers/processes/environment.ts'
import { readSettings } from '../../src/config/settings.ts'
import { command } from '../support/settings.ts'

/** Far from the slots that a server gives to its computers. */
const slotNumber = 64_500
const id = 'bare'

/** A container of the bare runtime with the same files, limits, namespaces, user and variables as the server's. */
export interface BareContainer {
  /** Files with the argv of `crun run` of the command, and of `crun exec` of the command in the running container. */
  argvFiles: { run: string; exec: string }
  /** Host path of the container's root. */
  root: string
  close: () => Promise<void>
}

/**
 * Prepares a root, namespaces and a running container as the driver does. A server has to have used the data directory
 * before.
 */
export async function openBare(env: NodeJS.ProcessEnv): Promise<BareContainer> {
  const settings = readSettings(env)
  const paths = new Paths(settings.dataDirectory)
  const pool = await openPool(paths.data)
  openCgroups(paths)
  const scratch = join(paths.runtime, 'bare')
  await mkdir(scratch, { recursive: true, mode: 0o711 })
  const runtime = Runtime.find(settings.runtime, join(scratch, 'runtime'))
  const volumes = new Volumes(pool.storage, join(pool.directory, 'bare'))
  const images = new LocalImages({
    storeDirectory: join(pool.directory, 'images'),
    storage: pool.storage,
    isInUse: async () => true,
  })
  const image = await images.resolve(settings.image)
  if (!image) throw new Error(`Cannot measure: image "${settings.image}" has not been built yet`)
  const slots = new Slots({
    directory: join(paths.mounts, 'bare-net'),
    interfacePrefix: `b${paths.tag}x`,
    network: settings.network,
  })
  const root = join(paths.mounts, 'bare-root')
  const cgroups = `/carrel-${paths.tag}-bare`

  const close = async () => {
    for (const container of await runtime.list()) await runtime.delete(container)
    await unmount(root)
    await slots.remove(slotNumber)
    await volumes.delete(id)
    await rm(scratch, { recursive: true, force: true })
    await removeCgroups(cgroups)
  }

  await volumes.prepare()
  await close()
  await volumes.create(id, settings.computerDiskBytes)
  const slot = await slots.create(slotNumber)
  await mkdir(root, { recursive: true })
  await mountOverlay(root, await images.layers(image.id), volumes.path(id))

  const hostsFile = join(scratch, 'hosts')
  const hostnameFile = join(scratch, 'hostname')
  const diskFile = join(scratch, 'disk')
  await mkdir(scratch, { recursive: true, mode: 0o711 })
  await writeFile(hostnameFile, `${id}\n`)
  await writeFile(hostsFile, `127.0.0.1 localhost\n${slot.address} ${id}\n`)
  await writeFile(diskFile, '')
  const shownDirectory = join(scratch, 'shown')
  await mkdir(shownDirectory)
  const user = resolveUser(root, image.user)
  const own = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell, CARREL_PROCESS_ID: id }
  const process = processObject({
    ...user,
    argv: [...command.argv],
    env: { ...environment(image.env, undefined), ...own },
    cwd: image.workdir,
    tty: undefined,
  })
  const bundle = async (name: string, changes: Record<string, unknown>) => {
    const config = containerConfig({
      hostname: id,
      rootDirectory: root,
      cgroupPath: `${cgroups}/${name}`,
      userNamespace: slot.userNamespace,
      networkNamespace: slot.networkNamespace,
      initProgram: findProgram('catatonit')!,
      hostsFile,
      hostnameFile,
      resolvConf: join(paths.guestFiles, 'resolv.conf'),
      diskFile,
      shownDirectory,
      lxcfs: findProgram('lxcfs') && paths.lxcfs,
      limits: {
        cpus: settings.computerCpus,
        memoryBytes: settings.computerMemoryBytes,
        diskBytes: settings.computerDiskBytes,
        pids: settings.computerPids,
      },
      forbidSwap: false,
      countsSocketsApart: false,
      maskedPaths: hardware(),
    })
    const directory = join(scratch, name)
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'config.json'), JSON.stringify({ ...config, ...changes }))
    return directory
  }
  const running = await bundle('running', {})
  const once = await bundle('once', { process })
  const [program, ...start] = runtime.runCommand('running', running, join(scratch, 'pid'))
  if (spawnSync(program!, start, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
    throw new Error('Cannot start a bare container')
  const processFile = join(scratch, 'process.json')
  await writeFile(processFile, JSON.stringify(process))
  const argvFile = async (name: string, argv: string[]) => {
    const file = join(scratch, `${name}.argv`)
    await writeFile(file, argv.map((word) => `${word}\0`).join(''))
    return file
  }
  return {
    argvFiles: {
      run: await argvFile('run', [...runtime.execCommand.slice(0, -1), 'run', '--bundle', once, 'once']),
      exec: await argvFile('exec', [...runtime.execCommand, '--process', processFile, 'running']),
    },
    root,
    close,
  }
}

async function removeCgroups(path: string): Promise<void> {
  const directory = '/sys/fs/cgroup'
  const trees = ['', ...(await readdir(directory, { withFileTypes: true })).map(({ name }) => name)]
  for (const tree of trees) await rmdir(join(directory, tree, path)).catch(() => {})
}
