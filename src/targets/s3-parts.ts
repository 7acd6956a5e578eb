import type { CompletedPart } from '@aws-sdk/client-s3'

import type { S3Connection } from './s3-connection.ts'
import { ordinaryPart, partSize, partsInFlight } from './s3-part-size.ts'
import { sendPart } from './s3-uploads.ts'

/**
 * Cuts what it is given into parts and sends them, a few at a time: memory holds those on their way and the one that
 * fills. The size of the whole need not be known.
 */
export class S3Parts {
  readonly #at: S3Connection
  readonly #upload: { readonly key: string; readonly id: string }
  readonly #signal: AbortSignal
  readonly #ordinary: number
  readonly #sent: CompletedPart[] = []
  readonly #onTheWay = new Set<Promise<void>>()
  #filling: Buffer[] = []
  #filled = 0
  #number = 1
  #fault: { readonly error: unknown } | undefined
  /** Bytes so far. */
  taken = 0

  constructor(
    at: S3Connection,
    upload: { readonly key: string; readonly id: string },
    expectedSize: number | undefined,
    signal: AbortSignal,
  ) {
    this.#at = at
    this.#upload = upload
    this.#signal = signal
    this.#ordinary = ordinaryPart(expectedSize)
  }

  /** Resolves when there is room for more. Throws what an earlier part failed with. */
  async take(chunk: Buffer): Promise<void> {
    this.taken += chunk.length
    for (let rest = chunk; rest.length > 0;) {
      const piece = rest.subarray(0, partSize(this.#number, this.#ordinary) - this.#filled)
      // A copy: the writer may use its memory again once the chunk is taken.
      this.#filling.push(Buffer.from(piece))
      this.#filled += piece.length
      rest = rest.subarray(piece.length)
      if (this.#filled === partSize(this.#number, this.#ordinary)) await this.#send()
    }
    this.#throwFault()
  }

  /** Sends what is left and waits for every part: all of them in order, or none for not a byte. */
  async finish(): Promise<CompletedPart[]> {
    if (this.#filled > 0) await this.#send()
    await this.settled()
    this.#throwFault()
    return this.#sent.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
  }

  /** Waits until nothing is on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.#onTheWay)
  }

  async #send(): Promise<void> {
    while (this.#onTheWay.size >= partsInFlight(this.#ordinary)) await Promise.race(this.#onTheWay)
    this.#throwFault()
    const bytes = Buffer.concat(this.#filling, this.#filled)
    const number = this.#number
    this.#filling = []
    this.#filled = 0
    this.#number += 1
    const sending = sendPart(this.#at, this.#upload, number, bytes, this.#signal)
      .then((part) => void this.#sent.push(part))
      .catch((error: unknown) => void (this.#fault ??= { error }))
      .finally(() => this.#onTheWay.delete(sending))
    this.#onTheWay.add(sending)
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error
  }
}
