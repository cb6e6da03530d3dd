import type { Settings } from './settings.ts'

/** Returns the URL of the address that the server listens on, without a slash at its end. */
export function listenAddress({ host, port }: Pick<Settings, 'host' | 'port'>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
