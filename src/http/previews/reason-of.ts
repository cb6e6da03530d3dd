import { STATUS_CODES, type IncomingMessage } from 'node:http'

/** The words beside the status, as they were sent; those of the standard for what cannot be sent on. */
export function reasonOf({ statusCode, statusMessage = '' }: IncomingMessage): string {
  return /^[\t -~\u0080-\u00ff]*$/.test(statusMessage) ? statusMessage : (STATUS_CODES[statusCode!] ?? 'Unknown')
}
