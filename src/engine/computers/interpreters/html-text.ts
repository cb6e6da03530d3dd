/**
 * Returns the text of some HTML as a reader sees it, roughly: a line for each block or row, a tab between cells. Returns
 * the HTML itself where it shows no text, as of an embedded video. Reads the first `maxHtmlLength` characters.
 */
export function htmlText(html: string): string {
  const head = html.slice(0, maxHtmlLength)
  // Each pattern ends at the next "<" or takes the rest, so that no HTML makes it read a part again and again.
  const shown = head
    .replaceAll(/<!--[^]*?(-->|$)/g, '')
    .replaceAll(/<(script|style|head|template)\b[^<>]*>[^]*?(<\/\1\b|$)/gi, '<')
  const spaced = /<pre\b/i.test(shown) ? shown : shown.replaceAll(/\s+/g, ' ')
  const text = spaced
    .replaceAll(/<\/t[dh]\b[^<>]*>/gi, '\t')
    .replaceAll(block, '\n')
    .replaceAll(/<[^<>]*>/g, '')
    .replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{1,8}));/gi, decoded)
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '').join('\n') || head
}

const block =
  /<\/?(?:address|article|aside|blockquote|br|caption|dd|details|div|dl|dt|figcaption|figure|footer|form|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|summary|table|tbody|tfoot|thead|tr|ul)\b[^<>]*>/gi

function decoded(entity: string, decimal?: string, hexadecimal?: string, name?: string): string {
  if (name !== undefined) return entities[name.toLowerCase()] ?? entity
  const code = decimal === undefined ? Number.parseInt(hexadecimal!, 16) : Number(decimal)
  const isCharacter = code > 0 && code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff)
  return isCharacter ? String.fromCodePoint(code) : entity
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** What a reader looks at; stripping this takes about a millisecond. */
const maxHtmlLength = 64 * 1024
