/**
 * Something outside the bundle that `proxy.env` refers to. `server` and `file` can be tried from a host; of `external`
 * only the name is known (a key in a cloud, its credentials).
 */
export type EnvReference =
  | { readonly key: string; readonly kind: 'server'; readonly host: string; readonly port: number }
  | { readonly key: string; readonly kind: 'file'; readonly path: string }
  | { readonly key: string; readonly kind: 'external' }

/** What the checks of `proxy.env` need to know of the place where it will be used. Each part is optional but `now`. */
export interface Surroundings {
  readonly now: Date
  /** When the backup was taken that the file is from: the age of the license counts from then, or from `now`. */
  readonly backupAt?: Date
  /** The name under which agents will reach this host; without it the public URL is not compared with one. */
  readonly host?: string
  /** The bundle moves to a host of another name: its server certificate must learn the name from the SAN list. */
  readonly newHost?: boolean
  /** The bundle's Compose file. */
  readonly compose?: string
  /** Names and addresses of `mastio-server.crt`. */
  readonly serverNames?: readonly string[]
  /** Size of `mcp_proxy.db`. */
  readonly databaseBytes?: number
  /** Whether the key of this file opens the key store of the database. */
  readonly pkiKey?: 'opens' | 'wrong' | 'missing' | 'too-short' | 'not-encrypted'
  /** Tells whether a reference resolves from here. */
  readonly reaches?: (reference: EnvReference, signal: AbortSignal) => Promise<boolean>
}
