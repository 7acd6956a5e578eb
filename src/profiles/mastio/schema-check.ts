import type { DatabaseSync } from 'node:sqlite'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { namesOf } from './snapshot-database.ts'

const required = [
  'alembic_version',
  'audit_log',
  'local_audit',
  'internal_agents',
  'proxy_config',
  'mastio_keys',
]
const triggers = [
  'audit_log_no_update',
  'audit_log_no_delete',
  'local_audit_no_update',
  'local_audit_no_delete',
]
const knownHeads = ['0042_audit_log_v2']

/** The tables at head `0042_audit_log_v2`; an older one lacks some. */
const knownTables: ReadonlySet<string> = new Set(
  `alembic_version audit_log local_audit internal_agents proxy_config mastio_keys agent_hourly_baselines
   agent_quarantine_events agent_traffic_samples ai_provider_credentials cached_bindings cached_federated_agents
   cached_policies federation_cursor legacy_pki_archive local_agent_resource_bindings local_mcp_resources
   local_messages local_policies local_sessions local_user_principals local_workload_principals mdm_device_state
   migration_state_backups pending_enrollments pending_updates pki_key_store user_api_tokens user_sessions
   user_webauthn_credentials`.split(/\s+/),
)

/**
 * Integrity (unless it is known), required tables, the head of the migrations, the four triggers that keep the audit
 * tables append-only. Integrity, tables and the head are `hard`; a head or a table that is not known here is a note.
 */
export function checkSchema(db: DatabaseSync, integrityChecked: boolean): MastioFinding[] {
  const found: MastioFinding[] = []
  if (!integrityChecked) {
    const problem = String(db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'])
    if (problem !== 'ok') return [finding('hard', 'integrity', `integrity_check of mcp_proxy.db: ${problem}`)]
  }
  const tables = namesOf(db, 'table')
  const missing = required.filter((name) => !tables.has(name))
  if (missing.length > 0) {
    return [
      finding(
        'hard',
        'tables-missing',
        `mcp_proxy.db lacks ${missing.join(', ')}: not the application’s database`,
      ),
    ]
  }
  const head = schemaHead(db)
  if (head === null) found.push(finding('hard', 'schema-head', 'alembic_version is empty'))
  else if (!knownHeads.includes(head)) {
    found.push(
      finding('note', 'schema-head', `the schema is at ${head}, which was not tried with this version`),
    )
  }
  const unknown = [...tables].filter((name) => !knownTables.has(name)).toSorted()
  if (unknown.length > 0)
    found.push(finding('note', 'unknown-table', `tables not known here: ${unknown.join(', ')}`))
  const gone = triggers.filter((name) => !namesOf(db, 'trigger').has(name))
  if (gone.length > 0) {
    found.push(
      finding(
        'attention',
        'trigger-missing',
        `the audit tables are not protected: ${gone.join(', ')} missing`,
      ),
    )
  }
  return found
}

/** The migration that the schema is at, `null` if it says none. */
export function schemaHead(db: DatabaseSync): string | null {
  const head = db.prepare('SELECT version_num FROM alembic_version').get()?.['version_num']
  return typeof head === 'string' && head !== '' ? head : null
}
