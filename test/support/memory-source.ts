import { createHash } from 'node:crypto'
import type { Facts, Warning } from '../../src/manifest.ts'
import type { MemberType } from '../../src/member.ts'
import type { Snapshot, Source, SourceMember } from '../../src/sources/source.ts'

/** One member of a memory source, given as data. Text is a file's content or a link's target. */
export interface MemoryMember {
  readonly path: string
  readonly type?: MemberType
  readonly content?: string | Uint8Array
  readonly link?: string
  readonly mode?: number
  readonly mtimeMs?: number
  /** The length is not known when the stream begins. */
  readonly sizeUnknown?: boolean
}

export interface MemoryOptions {
  readonly members: readonly MemoryMember[]
  readonly type?: 'file' | 'directory'
  readonly path?: string
  readonly facts?: Facts
  readonly rows?: Readonly<Record<string, number>>
  readonly warnings?: readonly Warning[]
  /** How many bytes a read gives at most; 64 KiB unless given. */
  readonly readSize?: number
  /** The nth read of a snapshot (from 1, over all members) throws this error instead. */
  readonly failAtRead?: number
  readonly error?: Error
  /** Waited for before each read: a place to stop a run, or to hold it. */
  readonly beforeRead?: (read: number) => void | Promise<void>
}

export interface MemorySource extends Source {
  /** Snapshots taken, and those of them that were not disposed of yet. */
  readonly taken: number
  readonly held: number
  /** What is live from now on: the next snapshot and spot checks see it. */
  change(members: readonly MemoryMember[]): void
}

/** A source whose members are data: the first plug of its kind, and the one that fails when it is told to. */
export function memorySource(name: string, options: MemoryOptions): MemorySource {
  let live = options.members
  let taken = 0
  let held = 0
  return {
    name,
    kind: 'memory',
    place: { path: options.path ?? `/memory/${name}`, type: options.type ?? 'directory' },
    get taken() {
      return taken
    },
    get held() {
      return held
    },
    change: (members) => void (live = members),
    claims: () => [],
    estimate: async (signal) => {
      signal.throwIfAborted()
      return live.reduce((sum, member) => sum + bytesOf(member).length, 0)
    },
    snapshot: async ({ signal, now }) => {
      signal.throwIfAborted()
      taken += 1
      held += 1
      return memorySnapshot(live, options, signal, now(), () => (held -= 1))
    },
    spotCheck: async (sample, recorded) =>
      sample.map((entry) => {
        const path = entry.path.slice(recorded.name.length + 1)
        const found = live.find((member) => member.path === path)
        if (found === undefined) return { path: entry.path, state: 'missing' }
        const same = entry.type !== 'file' || sha256(bytesOf(found)) === entry.sha256
        return { path: entry.path, state: same ? 'same' : 'changed' }
      }),
  }
}

function memorySnapshot(
  members: readonly MemoryMember[],
  options: MemoryOptions,
  signal: AbortSignal,
  takenAt: Date,
  release: () => void,
): Snapshot {
  let reads = 0
  let disposed = false
  async function* content(member: MemoryMember): AsyncGenerator<Uint8Array> {
    const bytes = bytesOf(member)
    const step = options.readSize ?? 65_536
    for (let at = 0; at < bytes.length; at += step) {
      reads += 1
      await options.beforeRead?.(reads)
      signal.throwIfAborted()
      if (disposed) throw new Error('the snapshot was read after it was disposed of')
      if (reads === options.failAtRead)
        throw options.error ?? new Error(`read ${reads} fails as it was told to`)
      yield bytes.subarray(at, at + step)
    }
  }
  return {
    takenAt,
    async *members() {
      for (const member of members) {
        signal.throwIfAborted()
        yield toMember(member, () => content(member))
      }
    },
    describe: () => ({
      facts: options.facts ?? {},
      versions: {},
      ...(options.rows === undefined ? {} : { rows: options.rows }),
      warnings: options.warnings ?? [],
    }),
    [Symbol.asyncDispose]: async () => {
      if (!disposed) release()
      disposed = true
    },
  }
}

function toMember(member: MemoryMember, content: () => AsyncIterable<Uint8Array>): SourceMember {
  const type = member.type ?? 'file'
  return {
    path: member.path,
    type,
    ...(member.link === undefined ? {} : { link: member.link }),
    ...(type === 'file' && member.sizeUnknown !== true ? { size: bytesOf(member).length } : {}),
    mode: member.mode ?? (type === 'directory' ? 0o755 : 0o644),
    mtimeMs: member.mtimeMs ?? 1_700_000_000_000,
    uid: 0,
    gid: 0,
    ...(type === 'file' ? { content } : {}),
  }
}

function bytesOf(member: MemoryMember): Uint8Array {
  return typeof member.content === 'string'
    ? Buffer.from(member.content)
    : (member.content ?? new Uint8Array())
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
