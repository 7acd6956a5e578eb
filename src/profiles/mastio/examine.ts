import type { DatabaseSync } from 'node:sqlite'
import { reasonOf } from '../../errors.ts'
import type { Facts } from '../../manifest.ts'
import type { Predecessor } from '../examination.ts'
import { agentCounts } from './agents.ts'
import { verifyAuditLog } from './audit-log.ts'
import { newestTimestamp } from './audit-time.ts'
import { readCa } from './ca-mode.ts'
import { checkAgents, checkCa, checkServer } from './certificate-checks.ts'
import type { CertificateFiles } from './certificate-checks.ts'
import { describeBreak } from './chain.ts'
import type { ChainReport } from './chain.ts'
import { nonEmptyNames, valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import { exclusionsOf } from './exclusions.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import type { Edition } from './layout.ts'
import type { LicenseState } from './license.ts'
import { verifyLocalAudit } from './local-audit.ts'
import { alternativeNames, fingerprint } from './pki.ts'
import { checkPredecessor } from './predecessor.ts'
import { checkSchema, schemaHead } from './schema-check.ts'
import { configOf, isSqliteError, openSnapshot } from './snapshot-database.ts'

/** A snapshot, and what belongs to it. Nothing else is read, and nothing is written. */
export interface Examined {
  /** A snapshot that no process has open for writing. */
  readonly database: string
  readonly env: EnvFile
  readonly files: CertificateFiles
  readonly edition: Edition
  readonly license: LicenseState
  /** When the snapshot was taken, and what counts as now for dates. */
  readonly snapshotAt: Date
  readonly predecessor?: Predecessor
  /** The server's certificate and key once more, where they lie live. */
  readonly reread?: () => Promise<CertificateFiles>
  /** The source has run `integrity_check` on this very file: it is not run again. */
  readonly integrityChecked?: boolean
}

export interface Examination {
  readonly facts: Facts
  readonly findings: readonly MastioFinding[]
}

/**
 * Examines a snapshot before it is sealed, or one that a restore is about to use: integrity, schema, the Org CA and all
 * certificates under it, both audit chains, the previous backup. Rows are counted by the source of the database. Holds no
 * secret in what it gives. After a `hard` finding on the database itself the facts are not complete.
 */
export async function examine(input: Examined, signal: AbortSignal): Promise<Examination> {
  const facts: Facts = {
    edition: input.edition,
    bundle_version: valueOf(input.env, 'CULLIS_MASTIO_VERSION') || null,
    snapshot_at: input.snapshotAt.toISOString(),
    env_names: nonEmptyNames(input.env),
    license: input.license,
    exclusions: exclusionsOf(input.env).map(({ what }) => what),
  }
  const findings: MastioFinding[] = []
  try {
    using db = openSnapshot(input.database)
    findings.push(...checkSchema(db, input.integrityChecked ?? false))
    if (findings.some((one) => one.class === 'hard')) return { facts, findings }
    const more = await examineOpen(db, input, signal)
    return { facts: { ...facts, ...more.facts }, findings: [...findings, ...more.findings] }
  } catch (error) {
    signal.throwIfAborted()
    if (!isSqliteError(error)) throw error
    const detail = `the snapshot of mcp_proxy.db cannot be read: ${reasonOf(error)}`
    return { facts, findings: [...findings, finding('hard', 'database-unreadable', detail)] }
  }
}

async function examineOpen(db: DatabaseSync, input: Examined, signal: AbortSignal): Promise<Examination> {
  const { env, files, snapshotAt, predecessor } = input
  const ca = await readCa(db, env, files.orgCaCrt)
  const orgId =
    configOf(db, 'org_id') ?? (valueOf(env, 'MCP_PROXY_ORG_ID') || textOf(files.orgId) || undefined)
  const audit = await verifyAuditLog(db, signal)
  const local = await verifyLocalAudit(db, signal)
  const server = await checkServer(files, snapshotAt, input.reread)
  const caFingerprint = ca.root === undefined ? null : fingerprint(ca.root)
  const facts: Facts = {
    alembic_head: schemaHead(db),
    ...agentCounts(db),
    org_id: orgId ?? null,
    ca_mode: ca.mode,
    ca_fingerprint_sha256: caFingerprint,
    // Public, and the trust anchor of a check after the start, also where the CA itself was lost.
    ca_certificate: ca.root?.toString() ?? null,
    ca_not_after: ca.root?.validToDate.toISOString() ?? null,
    ca_key_matches: ca.keyMatches,
    pki_key_opens: ca.keyOpens,
    intermediate_fingerprint_sha256: ca.intermediate === undefined ? null : fingerprint(ca.intermediate),
    server_names: server.certificate === undefined ? null : alternativeNames(server.certificate),
    server_not_after: server.certificate?.validToDate.toISOString() ?? null,
    audit_log_head: audit.head === null ? null : { ...audit.head },
    local_audit_heads: Object.fromEntries(
      [...local].map(([org, { head }]) => [org, head === null ? null : { ...head }]),
    ),
    newest_audit_timestamp: newestTimestamp(db),
  }
  const findings = [
    ...ca.findings,
    ...checkCa(ca, orgId, files),
    ...(await checkAgents(db, ca, signal)),
    ...server.findings,
    ...chainFindings('audit_log', audit),
    ...[...local].flatMap(([org, report]) => chainFindings(`local_audit of ${org}`, report)),
    ...(predecessor === undefined
      ? []
      : checkPredecessor(
          db,
          { fingerprint: caFingerprint, firstSeq: audit.head?.first_seq ?? null },
          predecessor,
        )),
  ]
  return { facts, findings }
}

/** What is to be said of a chain: a break wants attention, a start other than 1 is a note. */
export function chainFindings(
  chain: string,
  { head, firstBreak, missing, gaps }: ChainReport,
): MastioFinding[] {
  const found: MastioFinding[] = []
  if (firstBreak !== null) {
    const holes = gaps.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ')
    const gone = missing === 0 ? '' : `; ${missing} missing: ${holes}`
    found.push(finding('attention', 'audit-chain', `${chain}: ${describeBreak(firstBreak)}${gone}`))
  }
  if (head !== null && head.first_seq !== 1) {
    found.push(finding('note', 'audit-start', `${chain} begins at row ${head.first_seq}`))
  }
  return found
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('latin1').trim()
}
