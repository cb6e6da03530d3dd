/** What a line of a server's log says of who has connected: by a certificate or by a key. */
export interface LoggedProof {
  fingerprint: string
  /** The id in the certificate; undefined for a key alone. */
  certificateId: string | undefined
}

/**
 * Returns what a line of sshd's log says of who has connected; undefined for any other line. The guest's root can make
 * its server print anything, which deceives nobody but the owner of that computer.
 */
export function readProof(line: string): LoggedProof | undefined {
  const [, fingerprint, rest = ''] =
    /^Accepted publickey for .* ssh2: \S+ (SHA256:[\w+/]{43})(.*)$/.exec(line.trim()) ?? []
  if (fingerprint === undefined) return undefined
  const [, certificateId] = /^ ID (\S+) \(serial \d+\) CA /.exec(rest) ?? []
  return { fingerprint, certificateId }
}
