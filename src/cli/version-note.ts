/**
 * Returns what to do about a server that this program may not fit; undefined if they fit. Versions with the same first
 * number fit, and before 1.0 those with the same first two.
 */
export function versionNote(own: string, server: string): string | undefined {
  const [ownSeries, serverSeries] = [seriesOf(own), seriesOf(server)]
  if (ownSeries === undefined || serverSeries === undefined || ownSeries === serverSeries) return undefined
  return `This program is of version ${own}: that of the server's version fits better.`
}

function seriesOf(version: string): string | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d/.exec(version) ?? []
  return major === '0' ? `0.${minor}` : major
}
