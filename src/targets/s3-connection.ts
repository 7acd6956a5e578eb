import type * as Sdk from '@aws-sdk/client-s3'

import { s3Failure } from './s3-failure.ts'
import type { S3Options } from './s3-options.ts'

/** A request to the bucket: its name for an error, and the call that makes it. */
type Send<T> = (
  at: { readonly sdk: typeof Sdk; readonly client: Sdk.S3Client },
  options: { readonly abortSignal?: AbortSignal },
) => Promise<T>

/**
 * The bucket of one target at its server, through the AWS SDK, which is loaded with the first request: the command line
 * starts in a tenth of the time that the SDK takes to load. The SDK repeats what a server could not take; what then
 * fails goes through `s3Failure`.
 */
export class S3Connection {
  readonly bucket: string
  readonly storageClass: S3Options['storage_class']
  readonly #target: string
  readonly #options: S3Options
  #client: ReturnType<typeof connect> | undefined

  constructor(target: string, options: S3Options) {
    this.bucket = options.bucket
    this.storageClass = options.storage_class
    this.#target = target
    this.#options = options
  }

  async ask<T>(operation: string, signal: AbortSignal | undefined, send: Send<T>): Promise<T> {
    signal?.throwIfAborted()
    try {
      this.#client ??= connect(this.#options)
      return await send(await this.#client, signal === undefined ? {} : { abortSignal: signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw this.failure(operation, error)
    }
  }

  failure(operation: string, error: unknown): Error {
    return s3Failure(this.#target, this.bucket, operation, error)
  }
}

async function connect(options: S3Options): Promise<{ sdk: typeof Sdk; client: Sdk.S3Client }> {
  const sdk = await import('@aws-sdk/client-s3')
  const { endpoint, region = fallbackRegion(endpoint) } = options
  const client = new sdk.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: options.path_style ?? endpoint !== undefined,
    maxAttempts: 5,
    // Every byte is bound by a tag of the archive; a server’s checksum of an answer proves nothing more.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Idle time, in ms: the completion of a large archive may take minutes without a byte.
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 300_000 },
  })
  return { sdk, client }
}

/** A server of one’s own seldom has regions, and a signature must name one. */
function fallbackRegion(endpoint: string | undefined): string | undefined {
  return endpoint === undefined || (process.env['AWS_REGION'] ?? '') !== '' ? undefined : 'us-east-1'
}
