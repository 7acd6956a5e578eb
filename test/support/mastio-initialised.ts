import { readFileSync, writeFileSync } from 'node:fs'
import { sealift } from './journey-program.ts'
import type { Outcome } from './journey-program.ts'
import type { BundleOptions } from './mastio-bundle.ts'
import { installMastio } from './mastio-installation.ts'
import type { Installation } from './mastio-installation.ts'

/**
 * An installation whose configuration `sealift init` wrote. Only the places that belong to a whole machine are changed
 * in it: where archives go, where the passphrase lies, where state is kept.
 */
export async function initialise(
  options: BundleOptions = {},
  ...args: readonly string[]
): Promise<Installation & { readonly init: Outcome }> {
  const at = await installMastio(options)
  const env = { SEALIFT_STATE_DIR: at.join('state') }
  const init = await sealift(at, ['init', 'bundle', '--force', ...args], { env })
  if (init.code === 0 || init.code === 1) {
    const text = readFileSync(at.join('sealift.yaml'), 'utf8')
    const here = text
      .replace('path: /var/backups/cullis', 'path: archives')
      .replace('passphrase_file: /etc/cullis/backup.pass', 'passphrase_file: pass')
      .replace('# state_dir: /var/lib/sealift', 'state_dir: state')
    if (['archives', 'passphrase_file: pass', '\nstate_dir:'].some((part) => !here.includes(part))) {
      throw new Error(`the configuration is not as expected: ${text}`)
    }
    writeFileSync(at.join('sealift.yaml'), here)
  }
  return { ...at, init }
}

/** A token of the right shape that was issued today: an older one is a finding. */
export function freshLicense(): string {
  const claims = JSON.stringify({ sub: 'acme', iat: Math.floor(Date.now() / 1000) })
  return [
    'eyJhbGciOiJSUzI1NiJ9',
    Buffer.from(claims).toString('base64url'),
    'cGxhbnRlZC1mcmVzaC1zaWduYXR1cmU',
  ].join('.')
}
