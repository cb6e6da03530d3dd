import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { ComputerSpec, ExistingComputer, StopReason } from '../../driver.ts'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { mapWithLimit } from '../../../map-with-limit.ts'
import type { Cgroups } from '../cgroups/cgroups.ts'
import type { ComputerStore, ComputerRecord } from './computer-store.ts'
import { CompiledSeccomp } from '../containers/compiled-seccomp.ts'
import { containerConfig } from '../containers/config.ts'
import type { Runtime } from '../containers/runtime.ts'
import { hardware } from '../containers/hardware.ts'
import { seccompProfile } from '../containers/seccomp.ts'
import { orphanedMs } from '../processes/orphaned-processes.ts'
import type { DriverLog } from '../../driver-log.ts'
import type { LocalImages } from '../images/local-images.ts'
import type { DiskView } from '../storage/disk-view.ts'
import type { Lxcfs, LxcfsView, RunningComputer } from '../lxcfs/lxcfs.ts'
import type { GuestFiles } from '../containers/guest-files.ts'
import { KeyedLock } from '../../../keyed-lock.ts'
import type { ContainerState } from '../monitor/protocol.ts'
import type { Monitors } from '../monitors/monitors.ts'
import { mountOverlay, mountsBelow, unmount } from '../host/mounts.ts'
import type { GuestRoom } from '../storage/guest-room.ts'
import type { SlotPool } from '../network/slot-pool.ts'
import type { NetworkSlot, Slots } from '../network/slots.ts'
import type { Paths } from '../paths.ts'
import { sendSignal } from '../system/signal.ts'
import type { Volumes } from '../storage/volumes.ts'

interface Parts {
  paths: Paths
  store: ComputerStore
  volumes: Volumes
  disks: DiskView
  guestRoom: GuestRoom
  images: LocalImages
  slots: Slots
  slotPool: SlotPool
  runtime: Runtime
  cgroups: Cgroups
  monitor: () => Monitors
  guestFiles: GuestFiles
  lxcfs: Lxcfs | undefined
  onStopped: (id: string, reason: StopReason) => void
  log: DriverLog | undefined
}

/** The life of computers on this host. Work on one computer is done one step after the other. */
export class LocalComputers {
  readonly #parts: Parts
  readonly #lock = new KeyedLock()
  /** Host process id of the first process of each that runs. */
  readonly #running = new Map<string, number>()
  readonly #frozen = new Set<string>()
  readonly #mounted = new Set<string>()
  /** Of which something is left that only a running one has; gone before the next start. */
  readonly #unclear = new Set<string>()
  readonly #exits = new Map<string, () => void>()
  readonly #seccomp = new CompiledSeccomp()
  #nextCpu = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Takes back the computers that went on, and clears away what a crash left of others. What cannot be cleared away is told
   * and waits for the next time: one computer that is stuck must not keep all others from running.
   */
  async load(containers: ContainerState[]): Promise<void> {
    for (const { computerId, pid } of containers) this.#running.set(computerId, pid)
    const { store, runtime, volumes, cgroups, paths } = this.#parts
    await runtime.forgetFilters()
    const mounts = mountsBelow(paths.mounts)
    const known = store.all().map(({ id }) => id)
    await this.#forEach(known, async (id) => {
      if (mounts.has(paths.root(id))) this.#mounted.add(id)
      if (!this.#running.has(id)) await this.#clearAway(id)
      else {
        await this.#showDisk(this.record(id))
        if (await cgroups.isFrozen(paths.cgroup(id))) this.#frozen.add(id)
      }
    })
    await this.#tellOldFilters()
    const orphans = [...(await runtime.list()), ...(await volumes.list())].filter((id) => !store.get(id))
    await this.#forEach(new Set(orphans), (id) => this.#remove(id))
    const groups = cgroups.list(paths.cgroup('')).filter((id) => !this.#running.has(id))
    await this.#forEach(groups, (id) => cgroups.remove(paths.cgroup(id)))
    await this.#removeUnusedSlots()
  }

  async #forEach(ids: Iterable<string>, work: (id: string) => Promise<void>): Promise<void> {
    await mapWithLimit(ids, clearedAtOnce, (id) =>
      work(id).catch((error: unknown) =>
        this.#parts.log?.warn({ err: error, computer: id }, 'cannot put a computer in order; it is left as it is'),
      ),
    )
  }

  create(spec: ComputerSpec): Promise<void> {
    return this.#lock.run(spec.id, async () => {
      const { store, volumes, images } = this.#parts
      if (store.get(spec.id)) throw new CarrelError('already_exists', `Cannot create computer "${spec.id}": it exists`)
      const snapshot = 'snapshot' in spec.source ? spec.source.snapshot : undefined
      const image = 'image' in spec.source ? spec.source.image : await volumes.snapshotImage(spec.source.snapshot)
      if (snapshot !== undefined && image === undefined)
        throw new CarrelError('not_found', `Cannot create computer "${spec.id}": snapshot "${snapshot}" is missing`)
      if (image === undefined || !(await images.get(image)))
        throw new CarrelError('image_missing', `Cannot create computer "${spec.id}": image "${image}" is missing`)
      try {
        if (snapshot === undefined) await volumes.create(spec.id, spec.limits.diskBytes)
        else await volumes.createFromSnapshot(spec.id, snapshot, spec.limits.diskBytes)
        await store.add({ ...spec, image })
      } catch (error) {
        await this.#remove(spec.id)
        throw error
      }
    })
  }

  start(id: string): Promise<void> {
    return this.#lock.run(id, async () => {
      if (this.#running.has(id)) return
      const record = this.record(id)
      if (this.#unclear.has(id)) await this.#clearAway(id)
      await this.#mount(record)
      const view = this.#parts.lxcfs?.view
      try {
        await this.#startWith(record, view)
      } catch (error) {
        if (!view || !(await this.#hasLost(view))) throw error
        await this.#startWith(record, this.#parts.lxcfs?.view)
      }
    })
  }

  async #startWith(record: ComputerRecord, view: LxcfsView | undefined): Promise<void> {
    const { slotPool, store, lxcfs } = this.#parts
    const { id } = record
    const slot = await slotPool.take()
    try {
      await store.setSlot(id, slot.number)
      await this.#run(record, slot, view)
    } catch (error) {
      await this.#clearAway(id).catch((cause: unknown) =>
        this.#parts.log?.warn({ err: cause, computer: id }, 'cannot clear away a failed start; the next one will'),
      )
      throw error
    }
    lxcfs?.started(id, view)
  }

  /** Whether a start may have failed because lxcfs was killed or stopped in that moment. */
  async #hasLost({ generation }: LxcfsView): Promise<boolean> {
    const { lxcfs } = this.#parts
    return !(await lxcfs?.check()) || lxcfs?.view?.generation !== generation
  }

  stop(id: string, graceMs: number): Promise<void> {
    return this.#lock.run(id, async () => {
      const pid = this.#running.get(id)
      this.record(id)
      if (pid === undefined) return
      await this.#parts.monitor().request({ op: 'stopping', computerId: id })
      await this.#thaw(id)
      await this.#terminate(id, pid, graceMs)
      await this.#clearAway(id)
    })
  }

  pause(id: string): Promise<void> {
    return this.#lock.run(id, async () => {
      this.assertRunning(id)
      await this.#parts.cgroups.freeze(this.#parts.paths.cgroup(id), true)
      this.#frozen.add(id)
    })
  }

  resume(id: string): Promise<void> {
    return this.#lock.run(id, async () => {
      this.#pidOf(id)
      await this.#thaw(id)
    })
  }

  destroy(id: string): Promise<void> {
    return this.#lock.run(id, async () => {
      if (this.#running.has(id))
        await this.#parts
          .monitor()
          .request({ op: 'stopping', computerId: id })
          .catch(() => {})
      await this.#remove(id)
    })
  }

  snapshot(id: string, snapshotId: string): Promise<void> {
    return this.#lock.run(id, () => this.#parts.volumes.snapshot(id, snapshotId, this.record(id).image))
  }

  list(): ExistingComputer[] {
    return this.#parts.store
      .all()
      .map(({ id }) => ({ id, running: this.#running.has(id), paused: this.#frozen.has(id) }))
  }

  /** Each with the host process id of its first process. */
  running(): RunningComputer[] {
    return [...this.#running].map(([id, pid]) => ({ id, pid }))
  }

  record(id: string): ComputerRecord {
    const record = this.#parts.store.get(id)
    if (!record) throw new CarrelError('not_found', `Cannot find computer "${id}": it does not exist`)
    return record
  }

  /** Host process id of its first process; rejects with a `conflict` that names the state otherwise. */
  assertRunning(id: string): number {
    const pid = this.#pidOf(id)
    if (this.#frozen.has(id))
      throw new CarrelError('conflict', `Cannot use computer "${id}": it is paused`, { details: { state: 'paused' } })
    return pid
  }

  isRunning(id: string): boolean {
    return this.#running.has(id)
  }

  /** Beside its first process and those that are known by their ids on the host; as the driver has it. */
  orphanedMs(id: string, knownPids: readonly number[]): number | undefined {
    const { cgroups, paths } = this.#parts
    return orphanedMs(cgroups.pids(paths.cgroup(id)), new Set([this.assertRunning(id), ...knownPids]))
  }

  /** Again and again for a moment, as what is being forked is not there to be ended. */
  async endPrograms(id: string, keptPids: readonly number[]): Promise<void> {
    const { cgroups, paths } = this.#parts
    for (let tries = 0; tries < maxEndTries; tries++) {
      const first = this.#running.get(id)
      if (first === undefined || cgroups.kill(paths.cgroup(id), new Set([first, ...keptPids])) === 0) return
      await delay(endRetryMs)
    }
  }

  slot(id: string): NetworkSlot {
    this.assertRunning(id)
    return this.#parts.slots.describe(this.record(id).slot!)
  }

  /** The host path of its root, mounted. */
  async root(id: string): Promise<string> {
    const record = this.record(id)
    if (!this.#mounted.has(id)) await this.#lock.run(id, () => this.#mount(record))
    return this.#parts.paths.root(id)
  }

  /** The first process of a computer ended: expected by a stop, or by itself. */
  exited(id: string, reason: StopReason): void {
    const expected = this.#exits.get(id)
    this.#running.delete(id)
    this.#frozen.delete(id)
    if (expected) return expected()
    const clearAway = async () => {
      if (this.#parts.store.get(id) && !this.#running.has(id)) await this.#clearAway(id)
    }
    // What cannot be cleared away now is by the next start.
    void this.#lock.run(id, clearAway).catch(() => {})
    this.#parts.onStopped(id, reason)
  }

  /** Computers of a monitor that is gone cannot be told from what runs without one: they are ended. */
  async lost(isLost: (id: string) => boolean): Promise<void> {
    const ids = [...this.#running.keys()].filter(isLost)
    for (const id of ids) {
      this.#running.delete(id)
      this.#frozen.delete(id)
    }
    const cleared = await Promise.allSettled(ids.map((id) => this.#lock.run(id, () => this.#clearAway(id))))
    for (const id of ids) this.#parts.onStopped(id, 'lost')
    const failed = cleared.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Ends all that run, and lets go of every root. Gives those that ran; it is not told that they stopped. */
  async endAll(): Promise<string[]> {
    const ids = [...this.#running.keys()]
    const { log } = this.#parts
    await mapWithLimit(ids, clearedAtOnce, async (id) => {
      const stopping = this.#parts.monitor().request({ op: 'stopping', computerId: id })
      await stopping.catch(() => {})
      this.#exits.set(id, () => {})
      // What cannot be cleared away now is by the next start.
      await this.#lock
        .run(id, () => this.#clearAway(id))
        .catch((error: unknown) => log?.warn({ err: error, computer: id }, 'cannot clear away a computer'))
      this.#exits.delete(id)
    })
    for (const id of this.#mounted) await this.#unmount(id)
    return ids
  }

  #pidOf(id: string): number {
    this.record(id)
    const pid = this.#running.get(id)
    if (pid === undefined)
      throw new CarrelError('conflict', `Cannot use computer "${id}": it is stopped`, { details: { state: 'stopped' } })
    return pid
  }

  async #mount(record: ComputerRecord): Promise<void> {
    if (this.#mounted.has(record.id)) return
    const { paths, volumes, images } = this.#parts
    const root = paths.root(record.id)
    await mkdir(root, { recursive: true })
    await mountOverlay(root, images.rootfs(record.image), volumes.path(record.id))
    this.#mounted.add(record.id)
  }

  async #unmount(id: string): Promise<void> {
    await unmount(this.#parts.paths.root(id))
    this.#mounted.delete(id)
  }

  async #run(record: ComputerRecord, slot: NetworkSlot, view: LxcfsView | undefined): Promise<void> {
    const { paths, runtime, cgroups, guestFiles } = this.#parts
    const { id } = record
    const bundle = paths.computer(id)
    const config = containerConfig({
      hostname: record.hostname,
      rootDirectory: paths.root(id),
      cgroupPath: paths.cgroup(id),
      userNamespace: slot.userNamespace,
      networkNamespace: slot.networkNamespace,
      initProgram: guestFiles.init,
      hostsFile: guestFiles.hosts(id),
      hostnameFile: guestFiles.hostname(id),
      resolvConf: guestFiles.resolvConf,
      diskFile: guestFiles.disk(id),
      lxcfs: view?.folder,
      limits: record.limits,
      cpuset: this.#cpuset(record.limits.cpus),
      forbidSwap: await hostSwaps(),
      countsSocketsApart: cgroups.countsSocketsApart,
      maskedPaths: hardware(),
      annotations: this.#seccomp.annotations,
    })
    await guestFiles.add(id)
    await Promise.all([
      writeFile(join(bundle, 'config.json'), JSON.stringify(config)),
      this.#showDisk(record),
      writeFile(guestFiles.hostname(id), `${record.hostname}\n`),
      writeFile(guestFiles.hosts(id), `127.0.0.1 localhost\n::1 localhost\n${slot.address} ${record.hostname}\n`),
    ])
    const pidFile = join(bundle, 'pid')
    cgroups.prepare(paths.cgroup(id))
    const command = runtime.runCommand(id, bundle, pidFile)
    const { groups } = cgroups.files(paths.cgroup(id))
    const { pid } = await this.#parts
      .monitor()
      .request<{ pid: number }>(
        {
          op: 'run-container',
          computerId: id,
          command,
          pidFile,
          groups,
          notAfterMs: Date.now() + limits.monitorTimeoutMs,
        },
        { late: () => void this.#lock.run(id, () => this.#endUnasked(id)).catch(() => {}) },
      )
      .catch((error: unknown) => {
        throw withoutComplaint(id, error)
      })
    this.#running.set(id, pid)
    await this.#seccomp.learn(runtime.stateDirectory(id))
  }

  /** A filter cannot be changed while a computer runs. */
  async #tellOldFilters(): Promise<void> {
    const old: string[] = []
    await this.#forEach([...this.#running.keys()], async (id) => {
      const config = JSON.parse(await readFile(join(this.#parts.paths.computer(id), 'config.json'), 'utf8'))
      if (!isDeepStrictEqual(config.linux.seccomp, seccompProfile)) old.push(id)
    })
    if (old.length > 0)
      this.#parts.log?.warn(
        { computers: old },
        'computers run under the filter of system calls of an earlier version until they are stopped and started',
      )
  }

  /** A start that was given up, and that came to something all the same. */
  async #endUnasked(id: string): Promise<void> {
    if (this.#parts.store.get(id) && !this.#running.has(id)) await this.#clearAway(id)
  }

  async #showDisk({ id, limits }: ComputerRecord): Promise<void> {
    const { disks, volumes, guestRoom, guestFiles } = this.#parts
    const gauge = await volumes.gauge(id)
    await guestFiles.add(id)
    await disks.add(id, guestFiles.disk(id), limits.diskBytes, gauge)
    const setLimit = (bytes: number) => volumes.limit(id, bytes)
    if (gauge) guestRoom.add(id, { limitBytes: limits.diskBytes, gauge, setLimit })
  }

  /** Processors for a computer that has fewer than the host, in turn, so that `nproc` tells the truth. */
  #cpuset(cpus: number): string | undefined {
    const count = Math.ceil(cpus)
    const host = availableParallelism()
    if (count >= host) return undefined
    const chosen = Array.from({ length: count }, (_, index) => (this.#nextCpu + index) % host)
    this.#nextCpu = (this.#nextCpu + count) % host
    return chosen.join(',')
  }

  async #thaw(id: string): Promise<void> {
    if (!this.#frozen.delete(id)) return
    await this.#parts.cgroups.freeze(this.#parts.paths.cgroup(id), false)
  }

  /** TERM to all but the first process, which would take the rest with it; then KILL to that one. */
  async #terminate(id: string, pid: number, graceMs: number): Promise<void> {
    const { cgroups, paths } = this.#parts
    const others = () => cgroups.pids(paths.cgroup(id)).filter((other) => other !== pid)
    for (const other of graceMs > 0 ? others() : []) sendSignal(other, 'SIGTERM')
    for (const end = Date.now() + graceMs; Date.now() < end && others().length > 0;) await delay(stopPollMs)
    const ended = new Promise<void>((resolve) => this.#exits.set(id, resolve))
    if (!sendSignal(pid, 'SIGKILL')) this.exited(id, 'exited')
    await Promise.race([ended, delay(maxKillMs)])
    this.#exits.delete(id)
    this.#running.delete(id)
  }

  /** Removes what only a running computer has. */
  async #clearAway(id: string): Promise<void> {
    const { runtime, store, slotPool, cgroups, paths, disks, guestRoom, guestFiles } = this.#parts
    this.#unclear.add(id)
    this.#running.delete(id)
    this.#frozen.delete(id)
    disks.remove(id)
    await guestRoom.remove(id).catch(() => {})
    await runtime.delete(id).catch(async () => {
      // The host may have no room for the program. What it would do needs none.
      await cgroups.remove(paths.cgroup(id))
      await runtime.forget(id)
    })
    await cgroups.remove(paths.cgroup(id))
    await guestFiles.remove(id)
    const slot = store.get(id)?.slot
    if (slot !== undefined) {
      await slotPool.release(slot)
      await store.setSlot(id, undefined)
    }
    this.#unclear.delete(id)
  }

  async #remove(id: string): Promise<void> {
    await this.#clearAway(id)
    await this.#unmount(id)
    await rm(this.#parts.paths.root(id), { recursive: true, force: true })
    await this.#parts.volumes.delete(id)
    await this.#parts.store.remove(id)
  }

  async #removeUnusedSlots(): Promise<void> {
    const { store, slots, slotPool, log } = this.#parts
    const used = new Set(store.all().flatMap(({ slot }) => (slot === undefined ? [] : [slot])))
    for (const number of used) slotPool.claim(number)
    for (const number of await slots.existing()) {
      if (used.has(number)) continue
      await slots.remove(number).catch((error: unknown) => {
        slotPool.claim(number)
        log?.warn({ err: error, slot: number }, 'cannot remove a network slot that nobody uses; it is left')
      })
    }
  }
}

/** What the runtime complains of names paths of the host: that is for the log, not for who asked. */
function withoutComplaint(id: string, error: unknown): unknown {
  if (!(error instanceof CarrelError) || error.code !== 'internal') return error
  return new CarrelError('internal', `Cannot start computer "${id}": the container runtime failed`, { cause: error })
}

async function hostSwaps(): Promise<boolean> {
  return !/^SwapTotal:\s+0 kB/m.test(await readFile('/proc/meminfo', 'latin1'))
}

const clearedAtOnce = 8
const stopPollMs = 10
const maxKillMs = 10_000

const maxEndTries = 20
const endRetryMs = 10
