/** Files of `/proc` that computers see through lxcfs, which shows each reader the limits of its own control group. */
export const lxcfsFiles = ['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'stat', 'swaps', 'uptime'] as const
