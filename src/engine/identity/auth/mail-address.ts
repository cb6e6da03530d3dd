import { domainToASCII } from 'node:url'

/**
 * An address as it is compared, kept and written to; undefined for what is none. Every address that comes in goes through here. Letters
 * are made small within ASCII alone: U+212A is no "k", though `toLowerCase` says so, and whoever has the one mailbox has not the other.
 * A name of a domain is the one that mail is brought to.
 */
export function mailAddress(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > longest) return undefined
  const at = text.lastIndexOf('@')
  const local = small(text.slice(0, at))
  const domain = domainOf(text.slice(at + 1))
  if (at < 1 || domain === undefined || !localPart.test(local)) return undefined
  const address = `${local}@${domain}`
  return address.length <= longest ? address : undefined
}

/**
 * The mailbox that an address most likely leads to: without what stands behind a "+", and at Gmail without dots. Two addresses of one
 * mailbox are two people all the same; it is for what a mailbox gets once, or not too often.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf('@')
  const [name = ''] = address.slice(0, at).split('+')
  const local = name === '' ? address.slice(0, at) : name
  const domain = address.slice(at + 1)
  return gmail.has(domain) ? `${local.replaceAll('.', '')}@gmail.com` : `${local}@${domain}`
}

function domainOf(text: string): string | undefined {
  // What is no letter, digit, dot or hyphen would be read as the end of the name, or as an address of the network.
  const name = /^[\p{L}\p{M}\p{N}.-]+$/u.test(text) ? (isAscii(text) ? small(text) : domainToASCII(text)) : ''
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(name) ? name : undefined
}

function small(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text)
}

/** What needs no quotes. Beyond ASCII nothing that is not seen. */
const localPart = /^[^\p{C}\p{Z}()<>[\]:;@\\,"]{1,64}$/u
const gmail = new Set(['gmail.com', 'googlemail.com'])
/** As SMTP has it. */
const longest = 254
