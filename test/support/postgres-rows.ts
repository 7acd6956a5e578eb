import { newClient, type PgClient, type PostgresAddress } from '../../src/rows/postgres-driver.ts'
import { postgresStore } from '../../src/rows/postgres.ts'
import type { RowsUnderTest } from '../suites/rows.ts'
import type { PostgresCluster } from './postgres-cluster.ts'

/** A connection that looks and meddles beside the one under test. */
export interface Beside extends AsyncDisposable {
  readonly client: PgClient
  readonly exec: (sql: string) => Promise<void>
  readonly texts: (sql: string) => Promise<(string | null)[][]>
}

export async function beside(address: PostgresAddress): Promise<Beside> {
  const client = newClient(address)
  client.on('error', () => undefined)
  await client.connect()
  await client.query("SET extra_float_digits = 3; SET timezone = 'UTC'")
  return {
    client,
    exec: async (sql) => void (await client.query(sql)),
    texts: async (sql) => (await client.query(sql)).rows.map((row) => Object.values(row)),
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/** A fresh database of a cluster, for the suite of rows. */
export async function freshRows(cluster: PostgresCluster): Promise<RowsUnderTest & Beside> {
  const { address } = await cluster.database()
  return { ...(await beside(address)), store: postgresStore({ address }) }
}
