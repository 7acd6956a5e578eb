/** Our own subset of the application's schema at its head `0042_audit_log_v2`, or without what an older head lacks. */
export function mastioSchema(head: string): string {
  const old = head !== '0042_audit_log_v2'
  const newer = old
    ? ''
    : ', on_behalf_of_user_id TEXT, device_attestation TEXT, effective_tier TEXT, hash_format TEXT'
  const abort = (table: string, verb: string): string =>
    `CREATE TRIGGER ${table}_no_${verb} BEFORE ${verb.toUpperCase()} ON ${table}
     BEGIN SELECT RAISE(ABORT, '${table} is append-only'); END;`
  return `
    CREATE TABLE alembic_version (version_num TEXT PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('${head}');
    CREATE TABLE audit_log (id INTEGER PRIMARY KEY, timestamp TEXT, agent_id TEXT, action TEXT, tool_name TEXT,
      status TEXT, detail TEXT, request_id TEXT, duration_ms FLOAT, chain_seq INTEGER UNIQUE, prev_hash TEXT,
      row_hash TEXT, dpop_jkt TEXT${newer});
    CREATE TABLE local_audit (id INTEGER PRIMARY KEY, timestamp TEXT, agent_id TEXT, event_type TEXT, details TEXT,
      previous_hash TEXT, entry_hash TEXT, session_id TEXT, org_id TEXT, result TEXT, chain_seq INTEGER,
      peer_org_id TEXT, peer_row_hash TEXT, hash_format TEXT, UNIQUE (org_id, chain_seq));
    CREATE TABLE internal_agents (agent_id TEXT PRIMARY KEY, display_name TEXT, capabilities TEXT, cert_pem TEXT,
      created_at TEXT, is_active INTEGER, dpop_jkt TEXT, enrollment_method TEXT, enrolled_at TEXT, revoked_at TEXT,
      previous_cert_pem TEXT, previous_dpop_jkt TEXT, previous_grace_period_expires_at TEXT, principal_type TEXT);
    CREATE TABLE proxy_config (key TEXT PRIMARY KEY, value TEXT);
    CREATE TABLE pki_key_store (key_id TEXT PRIMARY KEY, key_type TEXT, ciphertext TEXT, cert_pem TEXT,
      created_at TEXT, activated_at TEXT, deprecated_at TEXT, expires_at TEXT);
    CREATE TABLE mastio_keys (kid TEXT PRIMARY KEY, pubkey_pem TEXT, privkey_pem TEXT, cert_pem TEXT,
      created_at TEXT, activated_at TEXT, deprecated_at TEXT, expires_at TEXT);
    CREATE TABLE legacy_pki_archive (key_id TEXT PRIMARY KEY, key_type TEXT, legacy_pem TEXT, archived_at TEXT);
    CREATE TABLE ai_provider_credentials (provider TEXT PRIMARY KEY, creds_json TEXT, updated_at TEXT);
    CREATE TABLE user_api_tokens (id TEXT PRIMARY KEY, principal_id TEXT, token_hash TEXT, revoked_at TEXT);
    CREATE TABLE user_sessions (session_id TEXT PRIMARY KEY, principal_id TEXT, expires_at TEXT, revoked_at TEXT);
    ${emptyTables.map((name) => `CREATE TABLE ${name} (id TEXT PRIMARY KEY);`).join('\n')}
    ${['audit_log', 'local_audit'].flatMap((table) => [abort(table, 'update'), abort(table, 'delete')]).join('\n')}
  `
}

const emptyTables = [
  'agent_hourly_baselines',
  'agent_quarantine_events',
  'agent_traffic_samples',
  'cached_bindings',
  'cached_federated_agents',
  'cached_policies',
  'federation_cursor',
  'local_agent_resource_bindings',
  'local_mcp_resources',
  'local_messages',
  'local_policies',
  'local_sessions',
  'local_user_principals',
  'local_workload_principals',
  'mdm_device_state',
  'migration_state_backups',
  'pending_enrollments',
  'pending_updates',
  'user_webauthn_credentials',
]
