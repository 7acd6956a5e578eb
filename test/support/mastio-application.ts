import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Issued } from './x509-issue.ts'

/** What the fake application answers. */
export interface ApplicationOptions {
  readonly server: Issued
  /** What `/pki/ca.crt` serves; without it 404. */
  readonly ca?: string
  readonly ready?: boolean
  readonly warnings?: readonly string[]
  readonly port?: number
}

export interface Application extends AsyncDisposable {
  readonly port: number
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[]
}

/** An HTTPS server with the endpoints that the application has after a start. */
export async function startApplication(options: ApplicationOptions): Promise<Application> {
  const { server, ca, ready = true, warnings = [], port = 0 } = options
  const asked: string[] = []
  const answers: Record<string, () => [number, string]> = {
    '/healthz': () => [200, '{"status":"ok"}'],
    '/readyz': () =>
      ready
        ? [200, '{"status":"ready","checks":{"database":"ok","jwks_cache":"standalone"}}']
        : [503, '{"status":"not_ready","checks":{"database":"error"}}'],
    '/health': () => [200, JSON.stringify({ status: 'ok', version: '0.4.4', warnings })],
    '/pki/ca.crt': () => (ca === undefined ? [404, '{"detail":"no CA"}'] : [200, ca]),
  }
  const listening = createServer({ cert: server.cert, key: server.key }, (request, response) => {
    asked.push(request.url ?? '')
    const [status, body] = answers[request.url ?? '']?.() ?? [404, '{}']
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body)
  })
  await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve))
  return {
    port: (listening.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      listening.closeAllConnections()
      await new Promise((resolve) => listening.close(resolve))
    },
  }
}

/** As a process of its own: serves a bundle until it is killed, its database open, its log on standard output. */
if (import.meta.main) {
  const [, , data = '', nginxCerts = '', port = '0'] = process.argv
  const db = new DatabaseSync(join(data, 'mcp_proxy.db'))
  db.exec('PRAGMA journal_mode = WAL; SELECT count(*) FROM audit_log')
  const ca = db.prepare("SELECT value FROM proxy_config WHERE key = 'org_ca_cert'").get()?.['value']
  const orgId = db.prepare("SELECT value FROM proxy_config WHERE key = 'org_id'").get()?.['value']
  const read = (name: string): string => readFileSync(join(nginxCerts, name), 'utf8')
  const application = await startApplication({
    server: { cert: read('mastio-server.crt'), key: read('mastio-server.key') },
    ...(typeof ca === 'string' ? { ca } : {}),
    port: Number(port),
  })
  const cached = `Org Root cert cached (cold private key) \\u2014 CN=${String(orgId)} CA`
  process.stdout.write(`mcp-proxy-1  | {"level":"INFO","message":"${cached}"}\n`)
  process.stdout.write('mcp-proxy-1  | INFO nginx server cert reused\n')
  process.stdout.write(`listening on ${application.port}\n`)
}
