/** Beyond this no server of mail takes one. */
const mostCharacters = 254
/** One word on each side of the @: no line breaks, nothing that is not seen, nothing that would end it in the head of a message. */
const oneAddress = /^[^\s\p{C}@<>()[\]\\,:;"]+@[^\s\p{C}@<>()[\]\\,:;"]+$/u

/** What somebody else's server calls an address, when it can be one; else null. */
export function mailAddressOf(text: unknown): string | null {
  return typeof text === 'string' && text.length <= mostCharacters && oneAddress.test(text) ? text : null
}
