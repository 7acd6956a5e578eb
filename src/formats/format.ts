import type { Facts } from '../manifest.ts'
import type { Member } from '../member.ts'
import type { Secret } from '../secret.ts'

export interface FormatOptions {
  /** What the input is called in errors. */
  readonly name?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A file or a folder of a foreign archive as it comes by. */
export interface FormatMember {
  /** `size` bytes of content follow, or 0. */
  readonly member: Member
  /** The content; only until the next member is asked for, and once. */
  readonly content: () => AsyncIterable<Buffer>
}

/** A file or a folder to write: a file has `content`, read once, of exactly `member.size` bytes. */
export interface FormatEntry {
  readonly member: Member
  readonly content?: () => AsyncIterable<Uint8Array>
}

/**
 * A kind of archive that other programs write and read. All of it works on streams in bounded memory, and closes its
 * input in every case. What a reader yields is authentic only once the iteration has ended: nobody may commit to it
 * before.
 */
export interface Format {
  /** What reports call it: `gpg`. */
  readonly name: string
  /** How the names of such files end: `.tar.gz.gpg`. */
  readonly ending: string
  /** Whether a file begins as one; `head` is its first 16 bytes, or all that it has. */
  recognises(head: Buffer): boolean
  /** What anyone can see of it without a key; nothing of it is authenticated. */
  inspect(input: AsyncIterable<Uint8Array>, options?: FormatOptions): Promise<Facts>
  /** The members, in their order. Links, devices and unsafe names are refused: MEMBER_REFUSED. */
  read(
    input: AsyncIterable<Uint8Array>,
    passphrase: Secret,
    options: FormatOptions & { /** How many members there may be. */ readonly limit: number },
  ): AsyncGenerator<FormatMember, void, undefined>
  /** What is encrypted, as it stands. */
  decrypt(
    input: AsyncIterable<Uint8Array>,
    passphrase: Secret,
    options?: FormatOptions,
  ): AsyncGenerator<Buffer, void, undefined>
  /** The archive, complete once the iteration has ended. `prefix` stands before each path. */
  write(
    entries: AsyncIterable<FormatEntry>,
    passphrase: Secret,
    options: {
      readonly prefix: '' | './'
      readonly random: (size: number) => Buffer
      readonly mtime: Date
      readonly signal?: AbortSignal | undefined
    },
  ): AsyncGenerator<Buffer, void, undefined>
}
