import type { Readable, Writable } from 'node:stream'

/** One finished archive at a target. */
export interface StoredObject {
  readonly name: string
  readonly size: number
  readonly modifiedAt: Date
}

/** An open archive: any range of it, or the whole as a stream. Whoever opened it closes it. */
export interface StoredReader extends AsyncDisposable {
  readonly name: string
  readonly size: number
  /** `length` bytes from `offset`, fewer only at the end of the object. */
  read(offset: number, length: number): Promise<Buffer>
  stream(signal?: AbortSignal): Readable
}

/**
 * An archive being written. Nothing is visible under its name before `commit()` has returned; leaving the scope
 * without it removes what was written.
 */
export interface StoredWriter extends AsyncDisposable {
  readonly name: string
  readonly stream: Writable
  /** Ends the stream, makes the object durable and visible in one step. OBJECT_EXISTS if the name was taken meanwhile. */
  commit(): Promise<StoredObject>
}

/**
 * Where archives go. Every operation throws TARGET_UNAVAILABLE with the foreign error as its cause when the place
 * itself fails, so that a wrapper can retry; an `AbortSignal` ends each of them with its reason, and a stream with an
 * AbortError. test/suites/target.ts is this contract as tests.
 */
export interface Target {
  readonly name: string
  readonly kind: string
  /** The place, for people: no secret in it. */
  readonly location: string
  /** The machine that has it, where that is known to be one of the network: a name or an address. */
  readonly host?: string
  /** Finished archives only (`*.sealift`, `*.tar.gz.gpg`), in no order. */
  list(signal?: AbortSignal): AsyncIterable<StoredObject>
  open(name: string, signal?: AbortSignal): Promise<StoredReader>
  /** `expectedSize` is a guess for the free-space check: TARGET_FULL before the first byte. Never overwrites. */
  create(name: string, options?: { expectedSize?: number; signal?: AbortSignal }): Promise<StoredWriter>
  remove(name: string, signal?: AbortSignal): Promise<void>
  /** Puts `replacement` in the place of an existing archive in one step: what `rekey` needs. */
  replace(name: string, options?: { expectedSize?: number; signal?: AbortSignal }): Promise<StoredWriter>
  /** Removes unfinished writes that no living run owns, and returns their names. */
  sweep(signal?: AbortSignal): Promise<string[]>
  /** Bytes that can still be written, where the target can tell. */
  free(): Promise<number | undefined>
}

/** One kind of target. `Options` is what stands in sealift.yaml beside `name` and `kind`. */
export interface TargetDriver<Options = unknown> {
  readonly kind: string
  /** `scratch` is a private folder for what must lie on this machine's disk for a while; it is made when it is needed. */
  open(name: string, options: Options, scratch?: string): Target
}
