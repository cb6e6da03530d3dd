import type { TestContext } from 'node:test'
import type { TestServer } from './server.ts'

/** Returns why disk limits are not enforced on this host, in the server's own words, or undefined where they are. */
export function diskLimitation({ banner }: TestServer): string | undefined {
  return /Note: (.*(?:disk limits are not enforced|no disk limit of their own).*)/.exec(banner)?.[1]
}

/** Skips a test that needs disk limits on a host without them. Returns whether it did. */
export function skipsWithoutDiskLimits(t: TestContext, server: TestServer): boolean {
  const limitation = diskLimitation(server)
  if (limitation !== undefined) t.skip(limitation)
  return limitation !== undefined
}
