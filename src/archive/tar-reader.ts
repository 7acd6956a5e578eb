import { SealiftError } from '../errors.ts'
import type { Member } from '../member.ts'
import type { ByteReader } from './byte-reader.ts'
import { checkMemberPath, linkRefusal, shownPath } from './member-path.ts'
import { MemberSet } from './member-set.ts'
import { decodePax, PAX_LIMIT, type PaxRecords } from './pax.ts'
import { BLOCK, decodeTarHeader, memberOf, paddingOf, shownName } from './tar.ts'

/**
 * The members of a payload, one after another, by the rules of archive-v1 §5. After `next()` the reader's input stands
 * at the member's content; the caller takes exactly `member.size` bytes of it before it calls `next()` again.
 * MEMBER_REFUSED for what no archive may hold, CONTENTS_DISAGREE for what is no tar.
 */
export class TarReader {
  readonly #input: ByteReader
  readonly #seen = new MemberSet()
  #last: Member | undefined

  constructor(input: ByteReader) {
    this.#input = input
  }

  /** The next member, or undefined behind the last, once the rest of the payload was found to be zeros. */
  async next(): Promise<Member | undefined> {
    if (this.#last !== undefined) await this.#zeros(paddingOf(this.#last.size), this.#last.path)
    let block = await this.#block()
    if (isZero(block)) {
      if (!isZero(await this.#block())) throw disagree('one block of zeros does not end a tar')
      await this.#onlyZeros()
      return undefined
    }
    let records: PaxRecords = {}
    let header = decodeTarHeader(block)
    if (typeof header === 'string') throw disagree(header)
    if (header.typeFlag === 'x') {
      records = await this.#pax(header.size, header.name ?? 'a pax header')
      block = await this.#block()
      header = decodeTarHeader(block)
      if (typeof header === 'string') throw disagree(header)
    }
    const member = memberOf(header, records)
    if (typeof member === 'string') throw refuse(shownName(header, records), member)
    checkMemberPath(member.path)
    const reason =
      linkRefusal(member.type, member.link) ?? this.#seen.add(member.path, member.type, member.link)
    if (reason !== undefined) throw refuse(member.path, reason)
    this.#last = member
    return member
  }

  async #pax(size: number, name: string): Promise<PaxRecords> {
    if (size > PAX_LIMIT) throw refuse(name, `its pax header has ${size} bytes, more than ${PAX_LIMIT}`)
    const bytes = await this.#input.read(size)
    if (bytes.length < size) throw disagree('the tar ends within a pax header')
    await this.#zeros(paddingOf(size), name)
    const records = decodePax(bytes)
    if (typeof records === 'string') throw refuse(name, records)
    return records
  }

  async #block(): Promise<Buffer> {
    const block = await this.#input.read(BLOCK)
    if (block.length < BLOCK) throw disagree('the tar has no end')
    return block
  }

  async #zeros(size: number, member: string): Promise<void> {
    const padding = await this.#input.read(size)
    if (padding.length < size) throw disagree('the tar has no end')
    if (!isZero(padding)) throw refuse(member, 'the padding behind its content is not zero')
  }

  async #onlyZeros(): Promise<void> {
    for (;;) {
      const rest = await this.#input.some(ZEROS.length)
      if (rest.length === 0) return
      if (!isZero(rest)) throw disagree('something stands behind the end of the tar')
    }
  }
}

const ZEROS = Buffer.alloc(65_536)
const isZero = (bytes: Buffer): boolean => bytes.equals(ZEROS.subarray(0, bytes.length))
const disagree = (reason: string) => new SealiftError('CONTENTS_DISAGREE', { member: 'the tar', reason })
const refuse = (member: string, reason: string) =>
  new SealiftError('MEMBER_REFUSED', { member: shownPath(member), reason })
