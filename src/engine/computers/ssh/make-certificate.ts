import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/**
 * Returns a key (P-256) and a certificate that it signs itself, as PEM, valid for thirty years. Clients that verify
 * certificates need one that is configured.
 */
export function makeCertificate(commonName: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(Buffer.from('06082a8648ce3d040302', 'hex'))
  const nameType = Buffer.from('0603550403', 'hex')
  const name = sequence(der(0x31, sequence(nameType, der(0x0c, Buffer.from(commonName)))))
  const now = new Date()
  const validity = sequence(utcTime(now), utcTime(new Date(now.getTime() + thirtyYearsMs)))
  // The first bit is clear, so that the number is positive.
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(15)])
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
  )
  const signature = sign('sha256', content, privateKey)
  const certificate = sequence(content, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = certificate.toString('base64').match(/.{1,64}/g)!
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
  return pem + privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

function sequence(...items: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items))
}

/** Returns a value of ASN.1 with its tag and length. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

/** Two digits for the year, as certificates have them until 2049; later ones have four. */
function utcTime(time: Date): Buffer {
  const digits = time.toISOString().replaceAll(/[-:T]|\..*/g, '')
  return time.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : der(0x18, Buffer.from(`${digits}Z`))
}

const thirtyYearsMs = 30 * 365 * 24 * 60 * 60 * 1000
