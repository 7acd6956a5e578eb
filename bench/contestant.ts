/**
 * One way to back a folder up, as bash scripts. Each runs in a folder of its own, with `$DATA_PARENT` (it holds the
 * folder `data`), `$KEYS`, and for a restore `$OUT`, an empty folder.
 */
export interface Contestant {
  readonly name: string
  /** What it runs: command and Debian package. */
  readonly tools: Readonly<Record<string, string>>
  /** What is done before the clock runs, such as making a repository. */
  readonly prepare?: string
  readonly backup: string
  /** What the backup is: a file or a folder. */
  readonly product: string
  /** With verification of what is read. Absent where it is no contestant for restores. */
  readonly restore?: string
  /** Where the folder `data` is below `$OUT` afterwards. */
  readonly restored?: string
}

const tar = { tar: 'tar' }
const sealedTar = '"$DATA_PARENT" -cf - data | zstd -q -1 -T0'

/** What Sealift is measured against. */
export const rivals = {
  gpg: {
    name: 'tar, gzip, gpg',
    tools: { ...tar, gzip: 'gzip', gpg: 'gnupg' },
    backup: [
      'tar czf backup.tar.gz -C "$DATA_PARENT" data',
      'gpg --batch --pinentry-mode loopback --passphrase-file "$KEYS/passphrase" \\',
      '  --symmetric --cipher-algo AES256 --output backup.tar.gz.gpg backup.tar.gz',
      'rm backup.tar.gz',
    ].join('\n'),
    product: 'backup.tar.gz.gpg',
    restore: [
      'gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$KEYS/passphrase" \\',
      '  --decrypt backup.tar.gz.gpg | tar xzf - -C "$OUT"',
    ].join('\n'),
  },
  restic: {
    name: 'restic',
    tools: { restic: 'restic' },
    prepare: 'restic init --quiet --repo repository',
    backup:
      'repository=$PWD/repository; cd "$DATA_PARENT" && restic backup --quiet --repo "$repository" data',
    product: 'repository',
    restore: 'restic restore latest --quiet --repo repository --verify --target "$OUT"',
  },
  borg: {
    name: 'borg (zstd,1)',
    tools: { borg: 'borgbackup' },
    prepare: 'borg init --encryption repokey repository',
    backup:
      'repository=$PWD/repository; cd "$DATA_PARENT" && borg create --compression zstd,1 "$repository::backup" data',
    product: 'repository',
    restore: 'repository=$PWD/repository; cd "$OUT" && borg extract "$repository::backup"',
  },
  age: {
    name: 'tar, zstd -1, age',
    tools: { ...tar, zstd: 'zstd', age: 'age', 'age-keygen': 'age' },
    backup: `tar -C ${sealedTar} | age -R "$KEYS/age-recipient" -o backup.tar.zst.age`,
    product: 'backup.tar.zst.age',
    restore: 'age -d -i "$KEYS/age-key" backup.tar.zst.age | zstd -q -d | tar xf - -C "$OUT"',
  },
  limit: {
    name: 'tar, zstd -1 (not sealed)',
    tools: { ...tar, zstd: 'zstd' },
    backup: `tar -C ${sealedTar} > backup.tar.zst`,
    product: 'backup.tar.zst',
  },
} as const satisfies Record<string, Contestant>

/** Sealift as it is used: a configuration, a passphrase file, durable when it ends. */
export const sealift: Contestant = {
  name: 'sealift',
  tools: {},
  prepare: [
    "cat > sealift.yaml <<'END'",
    'version: 1',
    'app: bench',
    'state_dir: ./state',
    'sources:',
    '  - { name: files, kind: files, path: "${DATA_PARENT}/data" }',
    'targets:',
    '  - { name: local, kind: local, path: ./archives }',
    'seal:',
    '  passphrase_file: "${KEYS}/passphrase"',
    'END',
  ].join('\n'),
  backup: 'sealift backup --quiet',
  product: 'archives',
  restore: 'sealift restore latest --quiet --to "$OUT"',
  restored: 'files',
}
