import { CarrelError } from '../../../errors.ts'

/** Where a program waits for its key: an address of the machine on which the browser runs. */
export interface Callback {
  url: URL
  /** What the program tells its own request by; returned as it is. */
  state: string
}

/**
 * Returns where a program asks to send a key. Throws `invalid_request` for whatever is not plain HTTP to a port of the
 * loopback interface: a key must not leave the machine of the person who agrees.
 */
export function callbackOf({ callback_url: text, state }: { callback_url: string; state: string }): Callback {
  const url = URL.parse(text)
  const isLoopback =
    url?.protocol === 'http:' &&
    hosts.has(url.hostname) &&
    url.port !== '' &&
    url.port !== '0' &&
    url.username + url.password + url.hash === ''
  if (!isLoopback)
    throw new CarrelError(
      'invalid_request',
      'Cannot use the callback: it has to be http://127.0.0.1, http://localhost or http://[::1] with a port',
      { details: { field: 'callback_url' } },
    )
  return { url, state }
}

const hosts = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Returns the address that tells the program how its request ended. */
export function callbackWith({ url, state }: Callback, result: { api_key: string } | { error: string }): string {
  const address = new URL(url)
  for (const name of ['state', 'api_key', 'error']) address.searchParams.delete(name)
  for (const [name, value] of Object.entries({ state, ...result })) address.searchParams.set(name, value)
  return address.href
}

/** Returns the callback as the source of a Content-Security-Policy, which has no form for an address of IPv6. */
export function sourceOf({ url }: Callback): string {
  return url.hostname === '[::1]' ? 'http:' : url.origin
}
