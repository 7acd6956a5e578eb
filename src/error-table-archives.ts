/** The part of the one table (`error-table.ts`) that is about archives themselves: our own, and those of others. */
export const archiveErrors = {
  // --- archive: what a reader must tell apart (spec/archive-v1.md §7) ---
  NOT_AN_ARCHIVE: {
    kind: 'integrity',
    say: (d: { name?: string }) => `${d.name ?? 'the input'} is not a Sealift archive`,
    hint: 'check the path; a file that went through a text-mode copy is broken for good, fetch it again',
  },
  ARCHIVE_TOO_NEW: {
    kind: 'unavailable',
    say: (d: { format: number }) =>
      `the archive has format ${d.format}, written by a newer version of Sealift`,
    hint: 'install a newer Sealift, or open it with the reader that its specification describes',
  },
  HEADER_INVALID: {
    kind: 'integrity',
    say: (d: { reason: string }) => `the archive header is not valid: ${d.reason}`,
    hint: 'the first bytes of the file were changed; take another copy of this archive',
  },
  NO_KEY_FITS: {
    kind: 'denied',
    say: (d: { tried: number; slots: string }) =>
      `none of the ${d.tried} keys opens this archive (its slots: ${d.slots})`,
    hint: '`sealift inspect` shows the slots; check the passphrase or name the right secret key',
  },
  HEADER_CHANGED: {
    kind: 'integrity',
    say: () => 'the header was changed after the archive was sealed',
    hint: 'do not trust this copy; take another one',
  },
  CHUNK_CHANGED: {
    kind: 'integrity',
    say: (d: { chunk: number; at: number }) => `chunk ${d.chunk} (byte ${d.at}) was changed`,
    hint: 'take another copy of this archive; `sealift extract` may still reach members before the damage',
  },
  ARCHIVE_CUT: {
    kind: 'integrity',
    say: (d: { at: number }) => `the archive is cut at byte ${d.at}`,
    hint: 'the copy is not complete; fetch it again or take another one',
  },
  TRAILING_DATA: {
    kind: 'integrity',
    say: (d: { at: number }) => `trailing data after byte ${d.at}`,
    hint: 'something was appended to the archive; take another copy',
  },
  FOOTER_CHANGED: {
    kind: 'integrity',
    say: (d: { at: number }) => `the footer (byte ${d.at}) was changed`,
    hint: 'take another copy of this archive; read from a pipe, this one still gives its contents',
  },
  CONTENTS_DISAGREE: {
    kind: 'integrity',
    say: (d: { member: string; reason: string }) =>
      `the contents do not match their index: ${d.member}: ${d.reason}`,
    hint: 'the archive was not written by a correct Sealift; take another one and report this',
  },
  MEMBER_REFUSED: {
    kind: 'integrity',
    say: (d: { member: string; reason: string }) => `member ${d.member} is refused: ${d.reason}`,
  },
  MEMBER_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { path: string }) => `the archive has no member ${d.path}`,
    hint: '`sealift show ARCHIVE --members` lists them',
  },
  MEMBER_SIZE_DIFFERS: {
    kind: 'bug',
    say: (d: { member: string; size: number; got: number }) =>
      `member ${d.member} was announced with ${d.size} bytes and had ${d.got}`,
  },
  SLOTS_LIMIT: {
    kind: 'usage',
    say: (d: { count: number }) => `an archive has 1 to 16 key slots, not ${d.count}`,
  },
  SLOT_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { slot: string }) => `the archive has no slot ${d.slot}`,
    hint: '`sealift inspect` shows the slots and their numbers',
  },
  KEY_INVALID: {
    kind: 'usage',
    say: (d: { what: string; reason: string }) => `${d.what} is not valid: ${d.reason}`,
    hint: '`sealift keygen` writes a recipient and its secret key',
  },

  // --- formats: archives of others ---
  GPG_NOT_A_MESSAGE: {
    kind: 'integrity',
    say: (d: { name?: string; reason: string }) =>
      `${d.name ?? 'the input'} is not an encrypted gpg message: ${d.reason}`,
    hint: 'check the path; a file that went through a text-mode copy is broken for good, fetch it again',
  },
  GPG_PASSPHRASE_WRONG: {
    kind: 'denied',
    say: (d: { name?: string }) => `the passphrase does not open ${d.name ?? 'the input'}`,
    hint: 'gpg takes a carriage return at the end of a passphrase file for a part of it; if the passphrase is certainly right, the first bytes of the file were changed: take another copy',
  },
  GPG_CHANGED: {
    kind: 'integrity',
    say: (d: { name?: string; reason: string }) =>
      `${d.name ?? 'the input'} was changed after it was encrypted: ${d.reason}`,
    hint: 'do not use what was read of it; take another copy',
  },
  GPG_CUT: {
    kind: 'integrity',
    say: (d: { name?: string; at: number }) => `${d.name ?? 'the input'} is cut at byte ${d.at}`,
    hint: 'the copy is not complete; fetch it again or take another one',
  },
  GPG_NOT_AUTHENTICATED: {
    kind: 'denied',
    say: (d: { name?: string }) =>
      `${d.name ?? 'the input'} was encrypted without modification detection, so that a change would not show`,
    hint: 'if you trust where it comes from, decrypt it with gpg itself and encrypt it again with AES256',
  },
  GPG_NO_PASSPHRASE: {
    kind: 'denied',
    say: (d: { name?: string }) =>
      `${d.name ?? 'the input'} opens only with a secret key of gpg, not with a passphrase`,
    hint: 'decrypt it with gpg where that key is, and encrypt it again with a passphrase',
  },
  GPG_UNSUPPORTED: {
    kind: 'unavailable',
    say: (d: { name?: string; what: string }) =>
      `${d.name ?? 'the input'} has ${d.what}, which Sealift does not read`,
    hint: 'decrypt it with gpg itself, and encrypt it again with a passphrase and AES256',
  },
  TAR_GZ_INVALID: {
    kind: 'integrity',
    say: (d: { name?: string; reason: string }) =>
      `${d.name ?? 'the input'} is no sound .tar.gz: ${d.reason}`,
    hint: 'do not use what was read of it; take another copy',
  },
  TAR_GZ_CUT: {
    kind: 'integrity',
    say: (d: { name?: string }) => `the .tar.gz in ${d.name ?? 'the input'} ends before its data does`,
    hint: 'it was not written to its end; take another one',
  },
} as const
