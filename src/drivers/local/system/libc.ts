import koffi from 'koffi'

/**
 * System calls that Node has no function for. `call` takes a microsecond and blocks; `callAsync` runs on the thread
 * pool, for calls that can wait for a disk.
 */
const libc = koffi.load('libc.so.6')

const functions = {
  openat2: libc.func('long syscall(long number, int directory, const char *path, const void *how, size_t size)'),
  fsopen: libc.func('long syscall(long number, const char *type, uint flags)'),
  fsconfig: libc.func(
    'long syscall(long number, int fd, uint command, const char *key, const char *value, int auxiliary)',
  ),
  fsmount: libc.func('long syscall(long number, int fd, uint flags, uint attributes)'),
  open_tree: libc.func('long syscall(long number, int directory, const char *path, uint flags)'),
  mount_setattr: libc.func(
    'long syscall(long number, int directory, const char *path, uint flags, const void *attributes, size_t size)',
  ),
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, ulong flags, const char *data)',
  ),
  umount2: libc.func('int umount2(const char *target, int flags)'),
  unshare: libc.func('int unshare(int flags)'),
  setns: libc.func('int setns(int fd, int type)'),
  prctl: libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)'),
  waitid: libc.func('int waitid(int idType, int id, _Out_ void *info, int options)'),
  ioctl: libc.func('int ioctl(int fd, ulong request, _Inout_ void *argument)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  connect: libc.func('int connect(int fd, const void *address, uint length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
  bind: libc.func('int bind(int fd, const void *address, uint length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  accept4: libc.func('int accept4(int fd, void *address, void *length, int flags)'),
  recvmsg: libc.func('long recvmsg(int fd, _Inout_ void *message, int flags)'),
  mkfifo: libc.func('int mkfifo(const char *path, uint mode)'),
  pipe2: libc.func('int pipe2(_Out_ int *fds, int flags)'),
  memfd_create: libc.func('int memfd_create(const char *name, uint flags)'),
  sched_setscheduler: libc.func('int sched_setscheduler(int pid, int policy, const void *priority)'),
  linkat: libc.func('int linkat(int fromDirectory, const char *from, int toDirectory, const char *to, int flags)'),
  fcntl: libc.func('int fcntl(int fd, int command, ulong argument)'),
  renameat2: libc.func(
    'int renameat2(int fromDirectory, const char *from, int toDirectory, const char *to, uint flags)',
  ),
  close: libc.func('int close(int fd)'),
  fallocate: libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)'),
  inotify_init1: libc.func('int inotify_init1(int flags)'),
  inotify_add_watch: libc.func('int inotify_add_watch(int fd, const char *path, uint mask)'),
  inotify_rm_watch: libc.func('int inotify_rm_watch(int fd, int descriptor)'),
}

/** Some errno values have two names (EAGAIN, EWOULDBLOCK): the first is the usual one. */
const errnoNames = new Map(
  Object.entries(koffi.os.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
)

export class SystemError extends Error {
  /** Such as `ENOENT`. */
  readonly code: string
  constructor(name: string, errno: number) {
    const code = errnoNames.get(errno) ?? `errno ${errno}`
    super(`${name}: ${code}`)
    this.name = 'SystemError'
    this.code = code
  }
}

type Call = keyof typeof functions

/** Returns the result of a system call. Throws a `SystemError` with its errno. */
export function call(name: Call, ...args: unknown[]): number {
  const result = Number(functions[name](...args))
  if (result < 0) throw new SystemError(name, koffi.errno())
  return result
}

/** As `call`, on a thread of the pool, for calls that can wait for a disk. */
export function callAsync(name: Call, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    functions[name].async(...args, (error: Error | null, result: number | bigint) => {
      if (error) return reject(error)
      if (Number(result) < 0) return reject(new SystemError(name, koffi.errno()))
      resolve(Number(result))
    })
  })
}

export const CLONE_NEWNS = 0x0002_0000
export const CLONE_NEWNET = 0x4000_0000
export const MS_REMOUNT = 32
export const MS_NOATIME = 1024
export const MS_NOSUID = 2
export const MS_NODEV = 4
export const MS_BIND = 0x1000
export const MS_SLAVE = 1 << 19
export const MS_SHARED = 1 << 20
export const MNT_FORCE = 1
export const MNT_DETACH = 2
export const PR_SET_CHILD_SUBREAPER = 36
