/**
 * The data directory of the servers of this test file, separate from that of a real server: one with images and
 * computers that outlives the file or, for apps in memory, one for this file only.
 */
export let testDataDirectory = process.env.CARREL_DATA ?? '/var/lib/carrel-test'

export function useDataDirectory(path: string): void {
  testDataDirectory = path
}
