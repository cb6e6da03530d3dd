import type { Settings } from './settings.ts'

/** Returns whether a server that listens on this host listens on all addresses of its machine, so that it names none. */
export function isWildcard(host: string): boolean {
  return /^(0+(\.0+){0,3}|[0:]+)$/.test(host)
}

/** Returns the URL of the address that the server listens on, without a slash at its end. */
export function listenAddress({ host, port }: Pick<Settings, 'host' | 'port'>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
