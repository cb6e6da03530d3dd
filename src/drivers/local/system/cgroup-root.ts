/** The mount point of the host's control groups. */
export const cgroupRoot = '/sys/fs/cgroup'
