import { domainToASCII } from 'node:url'

/**
 * Returns a mail address in the form in which it is compared, stored and written to; undefined for text that is not an
 * address. Every address from outside goes through this function. Only ASCII letters are made lower case: U+212A is not
 * "k", although `toLowerCase` says so, and the two mailboxes can have different owners. The domain is the one that mail
 * is delivered to.
 */
export function mailAddress(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > maxLength) return undefined
  const at = text.lastIndexOf('@')
  const local = lowerAscii(text.slice(0, at))
  const domain = domainOf(text.slice(at + 1))
  if (at < 1 || domain === undefined || !localPart.test(local)) return undefined
  const address = `${local}@${domain}`
  return address.length <= maxLength ? address : undefined
}

/**
 * Returns the mailbox that an address most likely leads to: without the part after a "+", and at Gmail without dots.
 * Two addresses of one mailbox still count as two users; use this for what a mailbox gets once, or at a limited rate.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf('@')
  const [name = ''] = address.slice(0, at).split('+')
  const local = name === '' ? address.slice(0, at) : name
  const domain = address.slice(at + 1)
  return gmail.has(domain) ? `${local.replaceAll('.', '')}@gmail.com` : `${local}@${domain}`
}

function domainOf(text: string): string | undefined {
  // Any other character would be read as the end of the name, or as a network address.
  const name = /^[\p{L}\p{M}\p{N}.-]+$/u.test(text) ? (isAscii(text) ? lowerAscii(text) : domainToASCII(text)) : ''
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(name) ? name : undefined
}

function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text)
}

/** Characters that need no quotes; beyond ASCII only visible ones. */
const localPart = /^[^\p{C}\p{Z}()<>[\]:;@\\,"]{1,64}$/u
const gmail = new Set(['gmail.com', 'googlemail.com'])
/** SMTP's limit. */
const maxLength = 254
