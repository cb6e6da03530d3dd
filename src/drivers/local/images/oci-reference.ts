import { CarrelError } from '../../../errors.ts'

/** The transports of skopeo(1). */
const transports = ['docker://', 'oci:', 'oci-archive:', 'docker-archive:', 'docker-daemon:', 'dir:']

/** Throws `invalid_request` for a text that skopeo would not accept as a reference, or would take for an option. */
export function requireReference(reference: string): void {
  const transport = transports.find((prefix) => reference.startsWith(prefix))
  if (transport === undefined) {
    throw invalid(
      reference,
      `it must begin with one of ${transports.join(' ')}; for an image of a registry write "docker://${reference.slice(0, 100)}"`,
    )
  }
  if (reference.length === transport.length || reference.length > 1_000 || /[\s\p{Cc}]/u.test(reference))
    throw invalid(reference, 'it is not a valid reference of an image')
}

/** Returns a name for an image: the last part of its reference, with the tag unless that is `latest`. */
export function imageNameOf(reference: string): string {
  const path = reference.replace(/^[a-z-]+:(\/\/)?/, '').replace(/@sha256:[0-9a-f]+$/, '')
  const last = path.split('/').at(-1) ?? ''
  const name = last
    .toLowerCase()
    .replace(/:latest$/, '')
    .replace(/\.(tar|tar\.gz|tgz)(?=:|$)/, '')
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/\.+/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '')
  return name.slice(0, 60).replace(/[-.]+$/, '') || 'imported'
}

function invalid(reference: string, reason: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot import image "${reference.slice(0, 200)}": ${reason}`, {
    details: { field: 'reference' },
  })
}
