/** Finds Carrel's own credentials in a text. */
export interface TokenFinder {
  isIn(text: string): boolean
}

/**
 * Returns headers (names in lower case and values alternately) without Carrel's own credentials, which a client sent to
 * a preview by mistake. From cookies, subprotocols and the query of a referrer only the part with a credential is
 * removed; any other header with one is dropped. Everything else stays byte for byte.
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

/** Returns a request target without Carrel's own credentials in its query. */
export function targetWithoutTokens(target: string, ownTokens: TokenFinder): string {
  if (!ownTokens.isIn(target)) return target
  // A fragment after `#` is not part of the request target.
  const [address = ''] = target.split('#', 1)
  const at = address.indexOf('?')
  if (at === -1) return address
  const query = without(address.slice(at + 1), '&', ownTokens)
  return address.slice(0, at) + (query === '' ? '' : `?${query}`)
}

function isTokenIn(name: string, value: string, ownTokens: TokenFinder): boolean {
  if (ownTokens.isIn(value)) return true
  const [, basic] = (name === 'authorization' && /^Basic\s+(\S+)/i.exec(value)) || []
  if (basic !== undefined) return isEncodedIn(basic, ownTokens)
  return name === 'sec-websocket-protocol' && value.split(',').some((part) => isEncodedIn(part, ownTokens))
}

/**
 * Also finds a credential in base64 after the last dot: a browser's WebSocket must encode what is not an HTTP token.
 */
function isEncodedIn(text: string, ownTokens: TokenFinder): boolean {
  const word = text.trim()
  const encoded = word.slice(word.lastIndexOf('.') + 1)
  return ownTokens.isIn(Buffer.from(encoded, 'base64').toString('latin1'))
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
  const isOwn = (part: string) => ownTokens.isIn(part) || (separator === ',' && isEncodedIn(part, ownTokens))
  return parts.filter((part) => !isOwn(part)).join(separator)
}
