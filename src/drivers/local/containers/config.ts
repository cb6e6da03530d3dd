import { serverFilesPath, type ComputerLimits } from '../../driver.ts'
import { terminalsPerComputer } from '../host/host-limits.ts'
import { idMap } from '../system/id-map.ts'
import { lxcfsFiles } from '../lxcfs/lxcfs-files.ts'
import { seccompProfile } from './seccomp.ts'

export interface ContainerOptions {
  hostname: string
  rootDirectory: string
  cgroupPath: string
  userNamespace: string
  networkNamespace: string
  /** The path on the host of a static init that only reaps orphans. */
  initProgram: string
  hostsFile: string
  hostnameFile: string
  resolvConf: string
  /** The file that `DiskView` writes. */
  diskFile: string
  /** The directory of the files that the server shows. */
  shownDirectory: string
  /** The mount point of lxcfs; undefined to show the host's files. */
  lxcfs?: string
  limits: ComputerLimits
  /** Such as `0-1`; undefined for all processors. */
  cpuset?: string
  forbidSwap: boolean
  /** Folders of `/sys` with the host's own devices. */
  maskedPaths: readonly string[]
  /** Memory of sockets is limited separately from the computer's memory (control groups version 1). */
  countsSocketsApart: boolean
  /** Hints for the runtime. */
  annotations?: Record<string, string>
}

/** The capabilities of root inside: none that reaches outside its namespaces, no CAP_SYS_PTRACE, no CAP_NET_ADMIN. */
const capabilities = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
]

/** Files and folders that show how the host was started, its hardware, and its activity. */
const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/buddyinfo',
  '/proc/bus',
  '/proc/cmdline',
  '/proc/config.gz',
  '/proc/consoles',
  '/proc/driver',
  '/proc/fs',
  '/proc/interrupts',
  '/proc/iomem',
  '/proc/ioports',
  '/proc/irq',
  '/proc/kallsyms',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/modules',
  '/proc/mtrr',
  '/proc/pagetypeinfo',
  '/proc/partitions',
  '/proc/pressure',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/softirqs',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/zoneinfo',
  '/sys/block',
  '/sys/class/bdi',
  '/sys/class/block',
  '/sys/dev/block',
  '/sys/devices/system/node',
  '/sys/devices/virtual/bdi',
  '/sys/devices/virtual/block',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/fs',
  '/sys/kernel',
  '/sys/module',
]

const initPath = '/dev/.init'
const diskPath = '/dev/.disk'

/** Returns the OCI runtime configuration of a computer (runtime-spec 1.0). */
export function containerConfig(options: ContainerOptions): Record<string, unknown> {
  const { limits } = options
  return {
    ociVersion: '1.0.2',
    annotations: options.annotations ?? {},
    hostname: options.hostname,
    root: { path: options.rootDirectory },
    process: {
      ...processObject({ argv: [initPath, '-P'], env: {}, cwd: '/', uid: 0, gid: 0, groups: [], tty: undefined }),
      user: { uid: 0, gid: 0 },
    },
    mounts: mounts(options),
    linux: {
      cgroupsPath: options.cgroupPath,
      namespaces: [
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        { type: 'cgroup' },
        { type: 'user', path: options.userNamespace },
        { type: 'network', path: options.networkNamespace },
      ],
      uidMappings: [{ containerID: 0, hostID: idMap.firstHostId, size: idMap.count }],
      gidMappings: [{ containerID: 0, hostID: idMap.firstHostId, size: idMap.count }],
      resources: {
        memory: {
          limit: limits.memoryBytes,
          ...(options.forbidSwap ? { swap: limits.memoryBytes } : {}),
          ...(options.countsSocketsApart ? { kernelTCP: socketBytes(limits.memoryBytes) } : {}),
        },
        pids: { limit: limits.pids },
        cpu: {
          quota: Math.round(limits.cpus * 100_000),
          period: 100_000,
          ...(options.cpuset ? { cpus: options.cpuset } : {}),
        },
      },
      seccomp: seccompProfile,
      maskedPaths: [...maskedPaths, ...options.maskedPaths],
      readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'],
    },
  }
}

export interface ProcessOptions {
  argv: string[]
  env: Record<string, string>
  cwd: string
  uid: number
  gid: number
  groups: number[]
  tty: { cols: number; rows: number } | undefined
}

/** Returns the OCI process object of an exec. Setuid programs (sudo) work, and gain at most `capabilities`. */
export function processObject(options: ProcessOptions): Record<string, unknown> {
  const effective = options.uid === 0 ? capabilities : []
  return {
    terminal: options.tty !== undefined,
    ...(options.tty ? { consoleSize: { width: options.tty.cols, height: options.tty.rows } } : {}),
    user: { uid: options.uid, gid: options.gid, additionalGids: options.groups, umask: 0o022 },
    args: options.argv,
    env: Object.entries(options.env).map(([name, value]) => `${name}=${value}`),
    cwd: options.cwd,
    capabilities: { bounding: capabilities, effective, permitted: effective },
    noNewPrivileges: false,
    rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }],
  }
}

/** A quarter of the memory, and at least 16 MiB, as a single fast connection takes 6 MiB. */
export function socketBytes(memoryBytes: number): number {
  return Math.max(memoryBytes / 4, 16 * 1024 * 1024)
}

function mounts(options: ContainerOptions): Record<string, unknown>[] {
  const shmBytes = Math.floor(options.limits.memoryBytes / 2)
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=64k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        'gid=5',
        `max=${terminalsPerComputer}`,
      ],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'nodev', 'mode=1777', `size=${shmBytes}`],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    readOnlyFile(initPath, options.initProgram),
    readOnlyFile('/etc/resolv.conf', options.resolvConf),
    readOnlyFile('/etc/hosts', options.hostsFile),
    readOnlyFile('/etc/hostname', options.hostnameFile),
    readOnlyFile(diskPath, options.diskFile),
    readOnlyFile(serverFilesPath, options.shownDirectory),
    ...lxcfsMounts(options.lxcfs),
  ]
}

function lxcfsMounts(lxcfs: string | undefined): Record<string, unknown>[] {
  if (!lxcfs) return []
  return lxcfsFiles.map((name) => readOnlyFile(`/proc/${name}`, `${lxcfs}/proc/${name}`))
}

function readOnlyFile(destination: string, source: string): Record<string, unknown> {
  return { destination, type: 'bind', source, options: ['bind', 'ro', 'nosuid', 'nodev'] }
}
