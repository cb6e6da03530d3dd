/** Where the host's control groups are mounted. */
export const cgroupRoot = '/sys/fs/cgroup'
