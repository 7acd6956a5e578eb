import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

/** What the application and nginx log when something is wrong, and when a restore went well (measured). */
const failures: readonly string[] = [
  'Self-signed Org CA generated',
  'Org CA not found via KMS provider',
  'Mastio Intermediate CA minted',
  'Org CA subject mismatch',
  'failed to decrypt org_ca',
  'cannot be decrypted with the current',
  'ADR-014 nginx server cert provisioning failed',
  'AUDIT_CHAIN_UNHEALTHY',
  'rotation state inconsistent at boot',
  'rotation state corrupt at boot',
  'signing halted',
  'Traceback',
]
const warnings: readonly string[] = [
  'SSL_do_handshake() failed',
  'Org CA on-disk vs DB mismatch',
  'Legacy plaintext PKI rows detected',
]
const good: readonly string[] = [
  'Org Root cert cached (cold private key)',
  'Mastio identity loaded (ca + active key)',
  'nginx server cert reused',
]
const rootCached = 'Org Root cert cached (cold private key) — CN='

/** A line longer than this is looked at in pieces. */
const longestLine = 1024 * 1024
const longestPattern = 64

/** What a log says: each exact text that was found, how often, and in which line first. */
export interface LogScan {
  readonly lines: number
  readonly findings: readonly MastioFinding[]
}

/**
 * Looks through a log for the exact texts, of `docker compose logs` as well as of a file: lines of JSON, whose strings
 * are decoded first because they escape what is not ASCII, mixed with plain ones. Tells only the text that was looked
 * for, never the line. `orgId` is that of the facts. Bounded memory.
 */
export async function scanLog(
  log: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
  orgId: string | undefined,
  signal: AbortSignal,
): Promise<LogScan> {
  const seen = new Map<string, { count: number; line: number }>()
  let lines = 0
  let foreign: number | undefined
  const look = (line: string): void => {
    const text = messageOf(line)
    for (const pattern of [...failures, ...warnings, ...good]) {
      if (!text.includes(pattern)) continue
      const before = seen.get(pattern)
      seen.set(pattern, { count: (before?.count ?? 0) + 1, line: before?.line ?? lines })
    }
    const cached = text.indexOf(rootCached)
    if (cached !== -1 && orgId !== undefined && !text.startsWith(`${orgId} CA`, cached + rootCached.length)) {
      foreign ??= lines
    }
  }
  for await (const line of linesOf(log)) {
    signal.throwIfAborted()
    lines += 1
    look(line)
  }
  const report = (weight: MastioFinding['class'], patterns: readonly string[]): MastioFinding[] =>
    patterns.flatMap((pattern) => {
      const found = seen.get(pattern)
      if (found === undefined) return []
      const times = found.count === 1 ? 'once' : `${found.count} times`
      return [finding(weight, 'log', `"${pattern}" ${times}, first in line ${found.line}`)]
    })
  const findings = [...report('fail', failures), ...report('attention', warnings), ...report('note', good)]
  if (foreign !== undefined) {
    findings.push(
      finding('fail', 'log', `line ${foreign} tells of an Org CA that is not "${orgId ?? ''} CA"`),
    )
  }
  return { lines, findings }
}

/** The text of a line: every string of a JSON object, or the line itself; without the prefix of Compose. */
function messageOf(line: string): string {
  const start = line.indexOf('{')
  if (start !== -1) {
    try {
      const strings: string[] = []
      JSON.parse(line.slice(start), (_, value: unknown) => {
        if (typeof value === 'string') strings.push(value)
        return value
      })
      return [line.slice(0, start), ...strings].join('\n')
    } catch {
      // A plain line that has a brace in it.
    }
  }
  return line
}

async function* linesOf(
  log: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of log) {
    rest += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })
    const parts = rest.split('\n')
    rest = parts.pop() ?? ''
    yield* parts
    if (rest.length > longestLine) {
      yield rest
      // What lies across the cut is found in the next piece.
      rest = rest.slice(-longestPattern)
    }
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}
