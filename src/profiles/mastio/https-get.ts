import { request } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'

/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/** Asks for a path. Throws what the connection throws: its `code` tells a refused certificate from a dead server. */
export type Get = (path: string, signal: AbortSignal) => Promise<Answer>

const largestBody = 1024 * 1024

export interface Server {
  /** `https://HOST[:PORT]`: the host must be among the names of the server's certificate. */
  readonly url: string
  /** The one certificate that is trusted: the Root, PEM. */
  readonly root: string
  /** Further hosts that the server's certificate must name: the public one, where another is asked. */
  readonly alsoNamed?: readonly string[]
  /** Where to connect instead, while DNS still names another host. */
  readonly connect?: { readonly host: string; readonly port: number }
  readonly timeoutMs: number
}

/** Asks a server over TLS, trusting nothing but the given Root. A body over 1 MiB is cut off as an error. */
export function httpsGet({ url, root, alsoNamed = [], connect, timeoutMs }: Server): Get {
  const { hostname, port } = new URL(url)
  const host = hostname.replaceAll(/^\[|\]$/g, '')
  return async (path, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    return new Promise((resolve, reject) => {
      const asked = request({
        host: connect?.host ?? host,
        port: connect?.port ?? (port === '' ? 443 : Number(port)),
        ...(isIP(host) === 0 ? { servername: host } : {}),
        // The name of the URL, whatever it is connected to.
        checkServerIdentity: (_, certificate) =>
          [host, ...alsoNamed]
            .map((name) => checkServerIdentity(name, certificate))
            .find((error) => error !== undefined),
        path,
        ca: root,
        agent: false,
        signal: limit,
        headers: { host: new URL(url).host, accept: '*/*' },
      })
      asked.once('error', reject).once('response', (response) => {
        const pieces: Buffer[] = []
        let size = 0
        response.on('data', (piece: Buffer) => {
          size += piece.length
          if (size > largestBody) asked.destroy(new Error('the answer is too long'))
          else pieces.push(piece)
        })
        response.once('error', reject)
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') })
        })
      })
      asked.end()
    })
  }
}
