/** Finds credentials of Carrel's own. */
export interface TokenFinder {
  isIn(text: string): boolean
}

/**
 * Headers, as names in lower case and values in turn, without credentials of Carrel's own, which a client sent to a preview by mistake:
 * of cookies, protocols and the queries of addresses only the part with one goes, any other header goes whole. The others stay to the byte.
 */
export function headersWithoutTokens(headers: string[], ownTokens: TokenFinder): string[] {
  let kept: string[] | undefined
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    if (!isTokenIn(name, value, ownTokens)) {
      kept?.push(name, value)
      continue
    }
    kept ??= headers.slice(0, i)
    const rest = restOf(name, value, ownTokens)
    if (rest !== '' && !ownTokens.isIn(rest)) kept.push(name, rest)
  }
  return kept ?? headers
}

/** The same for the address that is asked for. */
export function targetWithoutTokens(target: string, ownTokens: TokenFinder): string {
  if (!ownTokens.isIn(target)) return target
  const at = target.indexOf('?')
  if (at === -1) return target
  const query = without(target.slice(at + 1), '&', ownTokens)
  return target.slice(0, at) + (query === '' ? '' : `?${query}`)
}

function isTokenIn(name: string, value: string, ownTokens: TokenFinder): boolean {
  if (ownTokens.isIn(value)) return true
  const [, basic] = (name === 'authorization' && /^Basic +(\S+)/i.exec(value)) || []
  return basic !== undefined && ownTokens.isIn(Buffer.from(basic, 'base64').toString('latin1'))
}

function restOf(name: string, value: string, ownTokens: TokenFinder): string {
  switch (name) {
    case 'cookie':
      return without(value, ';', ownTokens).trim()
    case 'sec-websocket-protocol':
      return without(value, ',', ownTokens).trim()
    case 'referer':
      return targetWithoutTokens(value, ownTokens)
    default:
      return ''
  }
}

function without(list: string, separator: string, ownTokens: TokenFinder): string {
  const parts = list.split(separator)
  return parts.filter((part) => !ownTokens.isIn(part)).join(separator)
}
