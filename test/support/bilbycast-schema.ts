import { randomUUID } from 'node:crypto'
import { sealGcm } from '../../src/profiles/bilbycast/gcm.ts'
import { deriveKeys } from '../../src/profiles/bilbycast/key-derivation.ts'
import { bilbycastKeyring } from '../../src/profiles/bilbycast/keyring.ts'
import { randomBytes } from 'node:crypto'
import { Secret } from '../../src/secret.ts'
import type { Beside } from './postgres-rows.ts'

/** The schema of bilbycast-manager as far as a backup sees it, with what makes it hard: rings, triggers, odd orders. */
export const BILBYCAST_SCHEMA = `
CREATE TABLE users (id text PRIMARY KEY, username text UNIQUE NOT NULL, password_hash text NOT NULL, display_name text,
  email text, role text NOT NULL, is_temporary boolean NOT NULL DEFAULT false, expires_at timestamptz, allowed_node_ids json,
  is_active boolean NOT NULL DEFAULT true, totp_secret_enc text, mfa_recovery_codes_enc text,
  failed_login_count integer NOT NULL DEFAULT 0, locked_until timestamptz, last_login_at timestamptz);
CREATE TABLE config_templates (id text PRIMARY KEY, name text, body jsonb, created_by text REFERENCES users(id), source_node_id text);
CREATE TABLE nodes (id text PRIMARY KEY, name text, api_url text, registration_token text UNIQUE, auth_client_id text,
  auth_client_secret_enc text, status text, last_seen_at timestamptz, last_health json, metadata jsonb, software_version text,
  expires_at timestamptz, default_template_id text REFERENCES config_templates(id), ratio numeric(38,10), level double precision, raw bytea);
ALTER TABLE config_templates ADD FOREIGN KEY (source_node_id) REFERENCES nodes(id);
CREATE TABLE tunnels (id text PRIMARY KEY, name text, ingress_node_id text REFERENCES nodes(id) ON DELETE CASCADE,
  egress_node_id text REFERENCES nodes(id) ON DELETE CASCADE, relay_node_id text REFERENCES nodes(id),
  tunnel_psk_enc text, tunnel_key_enc text, tunnel_bind_secret_enc text, status text);
CREATE TABLE ai_keys (id text PRIMARY KEY, user_id text REFERENCES users(id) ON DELETE CASCADE, provider text,
  api_key_enc text NOT NULL, UNIQUE (user_id, provider));
CREATE TABLE settings (key text PRIMARY KEY, value text, updated_at timestamptz, updated_by text REFERENCES users(id));
CREATE TABLE ui_preferences (user_id text REFERENCES users(id) ON DELETE CASCADE, pref_key text, pref_value text, PRIMARY KEY (user_id, pref_key));
CREATE TABLE topology_positions (user_id text REFERENCES users(id) ON DELETE CASCADE, node_id text REFERENCES nodes(id) ON DELETE CASCADE,
  view text, x double precision, y double precision, PRIMARY KEY (user_id, node_id, view));
CREATE TABLE flow_groups (id text PRIMARY KEY, node_id text REFERENCES nodes(id) ON DELETE CASCADE, name text,
  parent_id text REFERENCES flow_groups(id) DEFERRABLE, push_status text, push_error text);
CREATE TABLE managed_flows (id text PRIMARY KEY, node_id text REFERENCES nodes(id) ON DELETE CASCADE,
  flow_group_id text REFERENCES flow_groups(id) ON DELETE RESTRICT, config jsonb, bytes_total bigint);
CREATE TABLE audit_log (id bigserial PRIMARY KEY, user_id text REFERENCES users(id), action text, target_type text, target_id text,
  details json, ip_address text, created_at timestamptz DEFAULT now());
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, node_id text REFERENCES nodes(id) ON DELETE CASCADE,
  severity text, category text, message text, details json, flow_id text, created_at timestamptz DEFAULT now(),
  acknowledged boolean NOT NULL DEFAULT false, acknowledged_by text REFERENCES users(id),
  loud text GENERATED ALWAYS AS (upper(message)) STORED);
CREATE TABLE sessions (id text PRIMARY KEY, user_id text REFERENCES users(id) ON DELETE CASCADE, created_at timestamptz, expires_at timestamptz);
CREATE TABLE revoked_sessions (jti text PRIMARY KEY, revoked_at timestamptz, expires_at timestamptz);
CREATE TABLE oidc_state (state text PRIMARY KEY, created_at timestamptz);
CREATE TABLE user_mfa_attempts (user_id text REFERENCES users(id) ON DELETE CASCADE, attempted_at timestamptz);
CREATE TABLE manager_instances (id text PRIMARY KEY, hostname text, region text, role text, software_version text,
  started_at timestamptz, last_heartbeat timestamptz);
CREATE TABLE cross_instance_rpc (id bigserial PRIMARY KEY, target_instance_id text REFERENCES manager_instances(id) ON DELETE CASCADE, payload jsonb);
CREATE TABLE node_connections (node_id text PRIMARY KEY REFERENCES nodes(id) ON DELETE CASCADE,
  instance_id text REFERENCES manager_instances(id) ON DELETE CASCADE, region text, connected_at timestamptz, remote_addr text, ws_session_id text);
CREATE TABLE node_config_snapshots (node_id text REFERENCES nodes(id) ON DELETE CASCADE, config jsonb, taken_at timestamptz);
CREATE TABLE ptp_state_cache (node_id text REFERENCES nodes(id) ON DELETE CASCADE, state jsonb, updated_at timestamptz);
CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, installed_on timestamptz DEFAULT now(), success boolean,
  checksum bytea, execution_time bigint);
CREATE TABLE runtime_metrics (backup_last_success_unix bigint);
INSERT INTO _sqlx_migrations VALUES (12, 'twelve', now(), true, '\\x00ff', 7);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.created_at := now(); RETURN new; END $$;
CREATE TRIGGER touch BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER touch_off BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE audit_log DISABLE TRIGGER touch_off;
`

/** A legacy blob: no prefix, one key for every domain. */
function legacyBlob(masterKey: Secret, text: string): string {
  const nonce = randomBytes(12)
  return Buffer.concat([nonce, sealGcm(deriveKeys(masterKey).legacy, nonce, Buffer.from(text))]).toString(
    'base64',
  )
}

/** Fills the schema: some nodes with secrets under this key, every third one legacy, tunnels, odd values, events. */
export async function fillBilbycast(
  { client }: Beside,
  masterKey: Secret,
  { nodes = 20, events = 500 }: { nodes?: number; events?: number } = {},
): Promise<void> {
  const ring = bilbycastKeyring(masterKey, randomBytes)
  const wrap = (domain: string, text: string, at: number): string =>
    at % 3 === 2 ? legacyBlob(masterKey, text) : ring.wrap(domain, new Secret(text))
  const insert = async (table: string, row: Readonly<Record<string, unknown>>): Promise<void> => {
    const names = Object.keys(row)
    await client.query(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, at) => `$${at + 1}`).join(', ')})`,
      Object.values(row),
    )
  }
  for (const [at, username] of ['admin', 'eva', 'otto'].entries())
    await insert('users', {
      id: `user-${at}`,
      username,
      password_hash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
      role: at === 0 ? 'super_admin' : 'user',
      allowed_node_ids: '{"b": 1,  "a" : [1.0, 1e5]}',
      totp_secret_enc: wrap('kek:user-mfa', `totp ${at} é 🐎`, at),
      last_login_at: '2026-04-27 01:02:03.123456+00',
      locked_until: at === 1 ? 'infinity' : null,
    })
  for (let at = 0; at < nodes; at++)
    await insert('nodes', {
      id: `node-${at}`,
      name: at === 0 ? '' : `Node\t${at}\\N "x"\nline é 🐎`,
      registration_token: at % 4 === 0 ? randomUUID() : null,
      auth_client_secret_enc: at % 3 === 1 ? null : wrap('kek:node-secret', `secret of node ${at}`, at),
      status: 'online',
      last_health: '{"z": 1, "a":  2}',
      metadata: '{"n": 12345678901234567890.10}',
      ratio: '1234567890123456789012345678.0123456789',
      level: ['NaN', 'Infinity', '0.1', '-0'][at % 4],
      raw: '\\x00ff5c0a',
    })
  await insert('config_templates', {
    id: 't1',
    name: 'ring',
    body: '{}',
    created_by: 'user-1',
    source_node_id: 'node-0',
  })
  await client.query("UPDATE nodes SET default_template_id = 't1' WHERE id = 'node-0'")
  for (let at = 0; at < 9; at++)
    await insert('tunnels', {
      id: `tunnel-${at}`,
      ingress_node_id: `node-${at % nodes}`,
      egress_node_id: `node-${(at + 1) % nodes}`,
      tunnel_psk_enc: wrap('kek:tunnel', `psk ${at}`, at),
      tunnel_key_enc: wrap('kek:tunnel', '', at + 1),
      tunnel_bind_secret_enc: wrap('kek:tunnel', 'x'.repeat(5000), at + 2),
    })
  for (const [at, provider] of ['openai', 'gemini'].entries())
    await insert('ai_keys', {
      id: `ai-${at}`,
      user_id: 'user-1',
      provider,
      api_key_enc: wrap('kek:ai-key', `sk-${at}`, at),
    })
  await insert('settings', { key: 'licence', value: 'x', updated_at: '2026-01-01', updated_by: 'user-0' })
  await insert('flow_groups', { id: 'g1', node_id: 'node-0', name: 'parent' })
  await insert('flow_groups', { id: 'g0', node_id: 'node-0', name: 'child', parent_id: 'g1' })
  await insert('managed_flows', {
    id: 'f1',
    node_id: 'node-0',
    flow_group_id: 'g0',
    config: '{}',
    bytes_total: '9007199254740993',
  })
  await insert('ui_preferences', { user_id: 'user-0', pref_key: 'k', pref_value: 'v' })
  await insert('topology_positions', {
    user_id: 'user-0',
    node_id: 'node-0',
    view: 'v',
    x: '0.1',
    y: '-1e300',
  })
  await insert('audit_log', {
    user_id: 'user-0',
    action: 'login',
    details: '{}',
    created_at: '2020-02-02 02:02:02.000002+00',
  })
  await client.query(
    `INSERT INTO events (node_id, severity, message, details)
     SELECT 'node-' || (n % $1), 'info', 'event ' || n || repeat(' and so on', 30), '{"n": 1}' FROM generate_series(1, $2) n`,
    [nodes, events],
  )
  await insert('manager_instances', {
    id: 'i1',
    hostname: 'h',
    role: 'primary',
    last_heartbeat: '2026-01-01',
  })
  await insert('sessions', { id: 's1', user_id: 'user-0' })
  await insert('node_connections', { node_id: 'node-0', instance_id: 'i1' })
}
