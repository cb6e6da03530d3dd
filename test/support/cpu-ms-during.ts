/**
 * Returns the processor time of this thread for synchronous work, in milliseconds. Unlike wall-clock time, it does not
 * grow under load.
 */
export function cpuMsDuring(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}
