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
  // What is behind a `#` is no part of what is asked for.
  const [asked = ''] = target.split('#', 1)
  const at = asked.indexOf('?')
  if (at === -1) return asked
  const query = without(asked.slice(at + 1), '&', ownTokens)
  return asked.slice(0, at) + (query === '' ? '' : `?${query}`)
}

function isTokenIn(name: string, value: string, ownTokens: TokenFinder): boolean {
  if (ownTokens.isIn(value)) return true
  const [, basic] = (name === 'authorization' && /^Basic\s+(\S+)/i.exec(value)) || []
  if (basic !== undefined) return isEncodedIn(basic, ownTokens)
  return name === 'sec-websocket-protocol' && value.split(',').some((part) => isEncodedIn(part, ownTokens))
}

/** Also as a browser's WebSocket has to write what is no word: in base64, behind the last dot. */
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
