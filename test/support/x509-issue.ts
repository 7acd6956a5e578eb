import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'

/** A certificate and its private key (PKCS#8), both PEM. A chain may follow the certificate. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Order {
  readonly subject: { readonly CN: string; readonly O?: string }
  /** PKCS#8 PEM of the subject. */
  readonly key: string
  /** Absent: the certificate signs itself. */
  readonly issuer?: Issued
  readonly from?: Date
  readonly days: number
  /** A CA with this path length. */
  readonly ca?: number
  readonly serverAuth?: boolean
  readonly names?: readonly string[]
}

/** Issues an X.509 v3 certificate (RFC 5280), which Node itself cannot. ECDSA or RSA, with SHA-256. */
export function issueCertificate({ subject, key, issuer, days, ...order }: Order): Issued {
  const { from = new Date('2026-01-01T00:00:00Z'), ca, serverAuth = false, names = [] } = order
  const spki = spkiOf(key)
  const above = issuer === undefined ? undefined : new X509Certificate(issuer.cert)
  const algorithm = signatureOf(issuer?.key ?? key)
  const extensions = [
    extension('2.5.29.14', octets(keyId(spki))),
    ...(issuer === undefined
      ? []
      : [extension('2.5.29.35', sequence(tagged(0x80, keyId(spkiOf(issuer.key)))))]),
    ca === undefined
      ? extension('2.5.29.19', sequence(), true)
      : extension('2.5.29.19', sequence(Buffer.of(1, 1, 0xff), tagged(2, Buffer.of(ca))), true),
    ...(ca === undefined ? [] : [extension('2.5.29.15', Buffer.of(3, 2, 1, 0x06), true)]),
    ...(serverAuth ? [extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1')))] : []),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names.map(generalName)))]),
  ]
  const own = nameOf(subject)
  const tbs = sequence(
    tagged(0xa0, tagged(2, Buffer.of(2))),
    tagged(2, Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    algorithm,
    above === undefined ? own : subjectOf(above.raw),
    sequence(time(from), time(new Date(from.getTime() + days * 86_400_000))),
    own,
    spki,
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', tbs, issuer?.key ?? key)
  const der = sequence(tbs, algorithm, tagged(3, Buffer.concat([Buffer.of(0), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return { cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`, key }
}

function spkiOf(key: string): Buffer {
  return createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' })
}

function keyId(spki: Buffer): Buffer {
  return createHash('sha1').update(spki).digest()
}

function signatureOf(key: string): Buffer {
  return createPrivateKey(key).asymmetricKeyType === 'rsa'
    ? sequence(oid('1.2.840.113549.1.1.11'), Buffer.of(5, 0))
    : sequence(oid('1.2.840.10045.4.3.2'))
}

function nameOf({ CN, O }: Order['subject']): Buffer {
  const part = (id: string, text: string): Buffer =>
    tagged(0x31, sequence(oid(id), tagged(12, Buffer.from(text))))
  return sequence(part('2.5.4.3', CN), ...(O === undefined ? [] : [part('2.5.4.10', O)]))
}

/** The subject as it stands in a certificate of this file: the sixth element of its first part. */
function subjectOf(der: Buffer): Buffer {
  let rest = inside(inside(der))
  for (let skipped = 0; skipped < 5; skipped += 1) rest = rest.subarray(elementSize(rest))
  return rest.subarray(0, elementSize(rest))
}

function generalName(name: string): Buffer {
  if (name.includes('://')) return tagged(0x86, Buffer.from(name))
  if (!/^\d+(\.\d+){3}$/.test(name)) return tagged(0x82, Buffer.from(name))
  return tagged(0x87, Buffer.from(name.split('.').map(Number)))
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), critical ? Buffer.of(1, 1, 0xff) : Buffer.alloc(0), octets(value))
}

function octets(value: Buffer): Buffer {
  return tagged(4, value)
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
function time(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(text.slice(2)))
    : tagged(0x18, Buffer.from(text))
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = rest.flatMap((part) => {
    const groups = [part & 0x7f]
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return tagged(6, Buffer.from([first * 40 + second, ...bytes]))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function tagged(tag: number, value: Buffer): Buffer {
  const { length } = value
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), value])
}

function headSize(der: Buffer): { head: number; length: number } {
  const first = der[1] ?? 0
  if (first < 128) return { head: 2, length: first }
  const bytes = first & 0x7f
  return { head: 2 + bytes, length: der.readUIntBE(2, bytes) }
}

function inside(der: Buffer): Buffer {
  const { head, length } = headSize(der)
  return der.subarray(head, head + length)
}

function elementSize(der: Buffer): number {
  const { head, length } = headSize(der)
  return head + length
}
