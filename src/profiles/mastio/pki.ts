import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { plainHost } from './env-urls.ts'

/** Every certificate of a PEM text, in order. What is none is passed over; a broken one throws. */
export function certificatesIn(pem: string | Uint8Array): X509Certificate[] {
  const text = typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1')
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

/** The first certificate of a PEM text, `undefined` if there is none that can be read. */
export function certificateIn(pem: string | Uint8Array | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : certificatesIn(pem)[0]
  } catch {
    // Not a certificate: whoever asked says what that means.
    return undefined
  }
}

/** SHA-256 of the DER, lower-case hex. */
export function fingerprint(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex')
}

/** True if the private key (PEM) belongs to the certificate; false also for what is no key. */
export function keyMatches(certificate: X509Certificate, key: string | Uint8Array): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(Buffer.from(key)))
  } catch {
    return false
  }
}

/** The common name of the subject. */
export function commonName({ subject }: X509Certificate): string | undefined {
  return /^CN=(.*)$/m.exec(subject)?.[1]?.replaceAll(/\\(.)/g, '$1')
}

/** True if `issuer` signed `certificate`: names, key identifiers and the signature. */
export function isUnder(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** The organisation that a fresh installation derives from its Root: 16 hex digits of SHA-256 over the public key. */
export function derivedOrgId(root: X509Certificate): string {
  const spki = root.publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex').slice(0, 16)
}

/** DNS names and addresses of a certificate. */
export function alternativeNames({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName
    .split(', ')
    .flatMap((entry) => /^(?:DNS|IP Address):(.*)$/.exec(entry)?.[1] ?? [])
    .map(plainHost)
}
