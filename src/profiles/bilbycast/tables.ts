import type { RowModel, SecretColumn } from '../../rows/model.ts'
import type { Domain } from './key-derivation.ts'

/** The application's tables that move, in the order in which it lists them itself; then those of later releases. */
const PERSISTED = `
users nodes tunnels ai_keys config_templates settings managed_flows flow_groups topology_positions ui_preferences
audit_log events
groups group_members resource_shares unit_links service_templates switcher_pages switcher_presets
switcher_preset_actions routines routine_actions routine_schedules routine_activations master_graphs
master_graph_members master_graph_connections generated_endpoints visual_graph_layout visual_graph_drafts
visual_graph_deployments config_history address_pools address_pool_exclusions address_allocations
mv_monitoring_objects mv_heads mv_layouts mv_layout_tiles mv_walls mv_routings mv_routing_entries replay_clips
recording_sync_groups recording_sync_group_members replay_sync_clips replay_sync_clip_members dvr_sessions
dvr_access_grants dvr_portal_users dvr_portal_entitlements dvr_portal_account_removals services service_versions
service_steps service_automations managed_inputs managed_outputs transcode_profiles tunnel_teardown_targets ai_threads
ai_messages ai_applied_actions ai_embeddings ai_proposals ai_org_keys`

/** What runs now and means nothing on another machine. */
const EPHEMERAL = `
sessions revoked_sessions node_connections node_config_snapshots ptp_state_cache oidc_state user_mfa_attempts
manager_instances cross_instance_rpc
epoch_lock_state_cache psi_catalog_cache node_bus_programs stream_history network_history login_auth_failures
node_auth_failures`

const KEPT = '_sqlx_migrations runtime_metrics sealift_state'

const SECRETS: Readonly<Partial<Record<Domain, string>>> = {
  'kek:node-secret': 'nodes.auth_client_secret_enc',
  'kek:ai-key': 'ai_keys.api_key_enc ai_org_keys.api_key_enc',
  'kek:tunnel': 'tunnels.tunnel_key_enc tunnels.tunnel_bind_secret_enc tunnels.tunnel_psk_enc',
  'kek:user-mfa': 'users.totp_secret_enc users.mfa_recovery_codes_enc',
  'kek:config-history':
    'config_history.config_json_enc visual_graph_drafts.base_config_enc visual_graph_deployments.desired_config_enc services.parameters_enc service_versions.parameters_enc service_versions.plan_enc service_steps.action_enc service_steps.rollback_enc',
  'kek:ai-thread':
    'ai_messages.content_json_enc ai_proposals.plan_enc ai_proposals.preview_enc ai_proposals.result_enc',
}

/** Which of the application's tables move, and which of their columns hold secrets (bilbycast.md §3, §4). */
export function bilbycastModel(): RowModel {
  return {
    persisted: words(PERSISTED),
    ephemeral: words(EPHEMERAL),
    kept: words(KEPT),
    secrets: secretColumns(),
    secretSuffix: '_enc',
  }
}

function secretColumns(): SecretColumn[] {
  return Object.entries(SECRETS).flatMap(([domain, columns]) =>
    words(columns).map((name) => {
      const [table = '', column = ''] = name.split('.')
      return { table, column, domain }
    }),
  )
}

const words = (text: string): string[] => text.trim().split(/\s+/)
