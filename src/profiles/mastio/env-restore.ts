import { differingKeys, readEnv, withKey } from './env-file.ts'
import { withPublicUrl } from './env-urls.ts'
import { convertPlaceholder, licenseKey, readLicense, redactLicense, tokenShape } from './license.ts'

export interface EnvChoices {
  /** Which file shall be effective where they differ: the live one stays unless the archive's is asked for. */
  readonly take: 'live' | 'archive'
  /** `https://HOST[:PORT]` of the new host. */
  readonly publicUrl?: string
}

/** What a restore does with `proxy.env`. It holds both texts, secrets included: only `differing` may be shown. */
export interface EnvPlan {
  /** `install`: there was none; `same`: nothing to do; `keep`: the live one stays; `adopt`: the archive's replaces it. */
  readonly action: 'install' | 'same' | 'keep' | 'adopt'
  /** The text that the application will read: the checks run on it. */
  readonly effective: string
  /** Files to write beside each other, mode 0600; `proxy.env` is absent where the live one stays as it is. */
  readonly write: readonly { readonly name: 'proxy.env' | 'proxy.env.restored'; readonly text: string }[]
  /** The live file must be set aside first. */
  readonly setAside: boolean
  /** Keys that Compose would read differently, the license apart. Never a value. */
  readonly differing: readonly string[]
}

/**
 * Decides which `proxy.env` becomes effective. The archive's has its license redacted: a live one that differs only
 * there is the same, and where the archive's is taken the license of the live one stays. Throws USAGE for a public URL that is none.
 */
export function planEnv(archive: string, live: string | undefined, { take, publicUrl }: EnvChoices): EnvPlan {
  const restored = convertPlaceholder(archive)
  const rewritten = (text: string): string =>
    publicUrl === undefined ? text : withPublicUrl(text, publicUrl)
  if (live === undefined) {
    const effective = rewritten(restored)
    const write = [{ name: 'proxy.env', text: effective }] as const
    return { action: 'install', effective, write, setAside: false, differing: [] }
  }
  const [bareLive, bareRestored] = [redactLicense(live).text, redactLicense(restored).text]
  const differing = differingKeys(readEnv(bareLive), readEnv(bareRestored))
  const same = bareLive === bareRestored
  if (take === 'archive' && !same) {
    const effective = rewritten(withLicenseOf(restored, live))
    const write = [{ name: 'proxy.env', text: effective }] as const
    return { action: 'adopt', effective, write, setAside: true, differing }
  }
  const effective = rewritten(live)
  const changed = effective === live ? [] : [{ name: 'proxy.env', text: effective } as const]
  if (same) return { action: 'same', effective, write: changed, setAside: changed.length > 0, differing }
  const write = [...changed, { name: 'proxy.env.restored', text: restored } as const]
  return { action: 'keep', effective, write, setAside: changed.length > 0, differing }
}

/** A text whose license was taken out, with that of another file. What is no token may need quotes, and is not taken. */
function withLicenseOf(text: string, live: string): string {
  const { state, value } = readLicense(readEnv(live))
  if (state !== 'present' || !tokenShape.test(value) || readLicense(readEnv(text)).state !== 'redacted')
    return text
  return withKey(text, licenseKey, value)
}
