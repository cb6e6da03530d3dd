import type { IncomingHttpHeaders } from 'node:http'

/**
 * Returns whether a client is shown a page: whether it names HTML among what it accepts, and prefers it to JSON. A
 * client that accepts anything is a program. So is Java's own client, which lists HTML first unless it is told
 * otherwise.
 */
export function prefersHtml({ accept, 'user-agent': agent }: IncomingHttpHeaders): boolean {
  if (!accept?.includes('text/html') || agent?.startsWith('Java/')) return false
  return qualityOf(accept, 'text/html') > qualityOf(accept, 'application/json')
}

/** Returns the quality of a type that is named as such, from 0 to 1; 0 when it is not named. */
function qualityOf(accept: string, type: string): number {
  for (const item of accept.split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
    if (name !== type) continue
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    return quality === undefined ? 1 : Number(quality.slice(2)) || 0
  }
  return 0
}
