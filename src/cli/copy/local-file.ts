/** Returns the permission bits of a local file or folder. Windows has none, and reports bits that no folder can have. */
export function localMode(
  stats: { mode: number | bigint; isDirectory(): boolean },
  platform: NodeJS.Platform = process.platform,
): number {
  if (platform === 'win32') return stats.isDirectory() ? 0o755 : 0o644
  return Number(stats.mode) & 0o777
}

/**
 * Returns whether a file of a sandbox can have this name here. On Windows, some names of Linux mean something else: a
 * backslash separates folders, a colon names a drive or a stream, and `NUL` is a device.
 */
export function isLocalName(name: string, platform: NodeJS.Platform = process.platform): boolean {
  if (platform !== 'win32') return true
  return !/[\\:*?"<>|\p{Cc}]|[. ]$|^(?:aux|con|nul|prn|(?:com|lpt)[\d¹²³])(?:\.|$)/iu.test(name)
}
