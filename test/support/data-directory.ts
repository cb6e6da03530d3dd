/**
 * Where the servers of this test file keep what they keep, apart from a real server's: in a directory with images and
 * computers that outlives the file, or, for apps in memory, in one of the file's own.
 */
export let testDataDirectory = process.env.CARREL_DATA ?? '/var/lib/carrel-test'

export function useDataDirectory(path: string): void {
  testDataDirectory = path
}
