import { SealiftError, isSealiftError, systemCode } from '../errors.ts'

/** The part of an error of the AWS SDK that is looked at. */
interface Answer {
  readonly name?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $retryable?: unknown
}

/** What servers and the SDK call credentials that do not serve; a wrong clock makes every signature wrong. */
const denials = new Set([
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'Forbidden',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'TokenRefreshRequired',
  'UnauthorizedAccess',
  // What versitygw calls an unknown key id, with status 404.
  'XAdminUserNotFound',
])

const passing = new Set([
  'InternalError',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'ThrottlingException',
  'TimeoutError',
])

const passingCodes = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
])

/** The name that a server or the SDK gives an error: `NoSuchKey`, `SlowDown`; of one without a body `HTTP 403`. */
export function s3ErrorName(error: unknown): string {
  const { name, $metadata } = answerOf(error)
  const status = $metadata?.httpStatusCode
  const unknown = name === undefined || name === 'Error' || name === 'UnknownError' || /^\d+$/.test(name)
  return unknown ? (systemCode(error) ?? (status === undefined ? 'Error' : `HTTP ${status}`)) : name
}

export function s3Status(error: unknown): number | undefined {
  return answerOf(error).$metadata?.httpStatusCode
}

/**
 * What the target throws for an error of the SDK. TARGET_DENIED for credentials, TARGET_NOT_FOUND for the bucket,
 * TARGET_UNAVAILABLE for the rest, with the server's own name for it and whether another try may help.
 */
export function s3Failure(target: string, bucket: string, operation: string, error: unknown): SealiftError {
  if (isSealiftError(error)) return error
  const name = s3ErrorName(error)
  const status = s3Status(error)
  const reason = reasonFor(name, answerOf(error).message)
  if (name === 'NoSuchBucket') {
    return new SealiftError('TARGET_NOT_FOUND', { target, place: `bucket ${bucket}` }, error)
  }
  if (denials.has(name) || status === 401 || status === 403) {
    return new SealiftError('TARGET_DENIED', { target, operation, reason }, error)
  }
  return new SealiftError(
    'TARGET_UNAVAILABLE',
    { target, operation, reason, transient: isPassing(error) },
    error,
  )
}

/** Whether what failed may succeed when it is tried again: the server is busy, or the connection was lost. */
function isPassing(error: unknown): boolean {
  const status = s3Status(error)
  if (status !== undefined && (status === 429 || (status >= 500 && status !== 501))) return true
  if (passing.has(s3ErrorName(error)) || passingCodes.has(systemCode(error) ?? '')) return true
  return answerOf(error).$retryable !== undefined
}

function reasonFor(name: string, message: string | undefined): string {
  if (message === undefined || message === '' || message === 'UnknownError' || message === name) return name
  return message.startsWith(name) ? message : `${name}: ${message}`
}

function answerOf(error: unknown): Answer {
  return typeof error === 'object' && error !== null ? error : {}
}
