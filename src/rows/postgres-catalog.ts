import type { PostgresSession } from './postgres-session.ts'
import type { LiveCatalog, LiveReference, LiveTable } from './store.ts'

/** What a column's cells look like: PostgreSQL's own text is a JSON string unless its type is one of these. */
export type CellKind = 'boolean' | 'integer' | 'number' | 'json' | 'text'

/** A counter that gives a column its values. */
export interface LiveSequence {
  readonly table: string
  readonly column: string
  /** Quoted, with its schema. */
  readonly sql: string
  readonly increment: bigint
  readonly least: bigint
  readonly most: bigint
}

export interface LiveForeignKey extends LiveReference {
  /** The table that has it. */
  readonly owner: string
  readonly deferrable: boolean
}

export interface PostgresCatalog extends LiveCatalog {
  /** Of a table: its name in SQL, quoted, with its schema; and whether rows lie in its partitions. */
  readonly sql: ReadonlyMap<string, { readonly name: string; readonly partitioned: boolean }>
  /** By `table.column`. */
  readonly kinds: ReadonlyMap<string, CellKind>
  readonly sequences: readonly LiveSequence[]
  readonly foreignKeys: readonly LiveForeignKey[]
}

const TABLES = `
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS sql,
  (c.relkind = 'p')::text AS partitioned, pg_has_role(c.relowner, 'USAGE')::text AS owned
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname, n.nspname`

const COLUMNS = `
WITH RECURSIVE base(oid, root) AS (
  SELECT t.oid, t.oid FROM pg_type t WHERE t.typtype <> 'd'
  UNION ALL SELECT t.oid, b.root FROM pg_type t JOIN base b ON b.oid = t.typbasetype WHERE t.typtype = 'd')
SELECT a.attrelid::text AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
  (NOT a.attnotnull)::text AS nullable, (a.atthasdef OR a.attidentity <> '')::text AS defaulted,
  (a.attgenerated <> '')::text AS generated, b.root::int::text AS root
FROM pg_attribute a JOIN base b ON b.oid = a.atttypid
WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`

const KEYS = `
SELECT i.indrelid::text AS oid, i.indisprimary::text AS main, (SELECT json_agg(a.attname ORDER BY k.at)
  FROM unnest(i.indkey) WITH ORDINALITY k(number, at) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
  WHERE k.at <= i.indnkeyatts)::text AS columns
FROM pg_index i WHERE i.indrelid = ANY($1::oid[]) AND i.indisunique AND i.indisvalid
  AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY i.indexrelid`

const FOREIGN_KEYS = `
SELECT f.conname AS name, f.conrelid::text AS oid, f.confrelid::text AS target, f.condeferrable::text AS deferrable,
  (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(f.conkey) WITH ORDINALITY k(number, at)
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number)::text AS columns,
  (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(f.confkey) WITH ORDINALITY k(number, at)
    JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number)::text AS targets
FROM pg_constraint f WHERE f.contype = 'f' AND f.conparentid = 0
  AND (f.conrelid = ANY($1::oid[]) OR f.confrelid = ANY($1::oid[])) ORDER BY f.conname`

const SEQUENCES = `
SELECT o.oid::text AS oid, a.attname AS column, format('%I.%I', n.nspname, c.relname) AS sql,
  s.seqincrement::text AS increment, s.seqmin::text AS least, s.seqmax::text AS most
FROM (
  SELECT d.refobjid AS oid, d.refobjsubid AS number, d.objid AS sequence FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  UNION
  SELECT e.adrelid, e.adnum, d.refobjid FROM pg_attrdef e JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass
    AND d.objid = e.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid = 0) o
JOIN pg_sequence s ON s.seqrelid = o.sequence JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = o.number
WHERE o.oid = ANY($1::oid[]) ORDER BY sql`

/** Of these schemas, without what extensions own. A partitioned table stands for its partitions. */
export async function readCatalog(
  session: PostgresSession,
  schemas: readonly string[],
): Promise<PostgresCatalog> {
  const found = await session.query(TABLES, [schemas])
  const oids = found.map(({ oid }) => oid)
  const nameOf = new Map(
    found.map(({ oid, schema, name }) => [oid, schema === schemas[0] ? String(name) : `${schema}.${name}`]),
  )
  const named = (oid: string | null | undefined): string => nameOf.get(oid ?? '') ?? `oid ${oid}`
  const columns = await session.query(COLUMNS, [oids])
  const keys = await session.query(KEYS, [oids])
  const foreignKeys = (await session.query(FOREIGN_KEYS, [oids])).map((row): LiveForeignKey => ({
    name: String(row['name']),
    owner: named(row['oid']),
    table: named(row['target']),
    columns: list(row['columns']),
    targetColumns: list(row['targets']),
    deferrable: row['deferrable'] === 'true',
  }))
  const sequences = (await session.query(SEQUENCES, [oids])).map((row): LiveSequence => ({
    table: named(row['oid']),
    column: String(row['column']),
    sql: String(row['sql']),
    increment: BigInt(row['increment'] ?? 1),
    least: BigInt(row['least'] ?? 1),
    most: BigInt(row['most'] ?? 1),
  }))
  const tables = found.map(({ oid, owned }): LiveTable => {
    const name = named(oid)
    const own = keys.filter((key) => key['oid'] === oid)
    const primary = own.find(({ main }) => main === 'true')
    return {
      name,
      columns: columns
        .filter((column) => column['oid'] === oid)
        .map((column) => ({
          name: String(column['name']),
          type: String(column['type']),
          nullable: column['nullable'] === 'true',
          hasDefault: column['defaulted'] === 'true',
          generated: column['generated'] === 'true',
        })),
      primaryKey: primary === undefined ? [] : list(primary['columns']),
      uniqueKeys: own.filter((key) => key !== primary).map((key) => list(key['columns'])),
      references: foreignKeys.filter(({ owner }) => owner === name),
      owned: owned === 'true',
    }
  })
  return {
    tables: new Map(tables.map((table) => [table.name, table])),
    sql: new Map(
      found.map(({ oid, sql, partitioned }) => [
        named(oid),
        { name: String(sql), partitioned: partitioned === 'true' },
      ]),
    ),
    kinds: new Map(columns.map(({ oid, name, root }) => [`${named(oid)}.${name}`, kindOf(root ?? '')])),
    sequences,
    foreignKeys,
  }
}

const list = (json: string | null | undefined): string[] => JSON.parse(json ?? '[]') as string[]

/** By the numbers that PostgreSQL itself has for its types, those of domains being resolved. */
function kindOf(root: string): CellKind {
  if (root === '16') return 'boolean'
  if (root === '21' || root === '23') return 'integer'
  // int8, oid, float4, float8, numeric.
  if (['20', '26', '700', '701', '1700'].includes(root)) return 'number'
  return root === '114' || root === '3802' ? 'json' : 'text'
}
