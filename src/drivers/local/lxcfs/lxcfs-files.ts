/** Files of `/proc` that lxcfs provides in computers. They show each reader the limits of its own control group. */
export const lxcfsFiles = ['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'stat', 'swaps', 'uptime'] as const
