/**
 * Returns the processor time that this thread takes for something synchronous, in milliseconds. Unlike the time on the
 * clock, load does not lengthen it.
 */
export function cpuMsDuring(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}
