import path from 'node:path'
import type { InitPlan, PlannedSource } from './init-plan.ts'

/** The text of a new `sealift.yaml`: valid as it stands, each choice with its reason beside it. */
export function initText(plan: InitPlan, output: string): string {
  const at = (place: string): string => shownFrom(path.dirname(output), place)
  return `${[
    ...header(plan),
    'version: 1',
    '',
    '# The name of the application. It begins the name of each archive.',
    `app: ${quoted(plan.app)}`,
    ...(plan.profile === undefined ? [] : ['# What Sealift knows of it.', `profile: ${plan.profile}`]),
    '',
    '# Where locks, journals and the catalogue lie. Without it: /var/lib/sealift for root, else the state folder of the user.',
    '# state_dir: /var/lib/sealift',
    '',
    '# Where the data comes from. A database is copied while the application runs, by SQLite itself. A folder is taken as',
    '# it is; databases in it that have a source of their own are left out of it.',
    'sources:',
    ...plan.sources.flatMap((source) => sourceLines(source, at)),
    ...leftOutLines(plan, at),
    '',
    '# Where archives go. The first is written, each further one gets a copy. A folder on this machine does not survive',
    '# this machine: let another disk or host be one of them.',
    'targets:',
    `  - { name: local, kind: local, path: ${quoted(at(plan.target))} }`,
    '',
    ...sealLines(plan, at),
    '',
    ...retentionNote(plan),
    `retention: { ${Object.entries(plan.retention ?? usualRetention)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')} }`,
  ].join('\n')}\n`
}

const usualRetention: NonNullable<InitPlan['retention']> = {
  keep_last: 7,
  keep_daily: 7,
  keep_weekly: 4,
  keep_monthly: 12,
  keep_yearly: 3,
}

function retentionNote({ retention }: InitPlan): string[] {
  if (retention === undefined) {
    return [
      '# What `sealift prune` keeps: the newest, and the last of each day, week, month and year. The newest verified archive',
      '# is never removed. Without this, nothing is.',
    ]
  }
  return [
    '# What `sealift prune` keeps, and `sealift backup --verify` at its end with `after_backup`. The newest verified archives',
    '# and the last good one are never removed. Without this, nothing is. docs/config.md has every key.',
  ]
}

function header(plan: InitPlan): string[] {
  const first = plan.template
    ? [
        '# Nothing here was recognised as data of an application: the sources below are EXAMPLES. Put the real places in.',
      ]
    : [
        '# What is backed up, where it goes and how long it stays. Written by `sealift init`; read it before you trust it.',
      ]
  return [
    ...first,
    '# `sealift config check` says whether it is sound, `sealift doctor` whether it would work now. docs/config.md has every key.',
    '# An editor completes it: `sealift config schema > sealift.schema.json`, and this as the first line:',
    '#   yaml-language-server: $schema=./sealift.schema.json',
    ...(plan.about === undefined ? [] : ['#', ...plan.about.map((line) => `# ${comment(line)}`)]),
    '',
  ]
}

function sourceLines(source: PlannedSource, at: (place: string) => string): string[] {
  const { name, kind, why, exclude } = source
  const timeout = kind === 'sqlite' ? ', timeout: 120' : ''
  const left = exclude.length === 0 ? '' : `, exclude: [${exclude.map(quoted).join(', ')}]`
  return [
    `  # ${why}`,
    `  - { name: ${quoted(name)}, kind: ${kind}, path: ${quoted(at(source.path))}${timeout}${left} }`,
  ]
}

function leftOutLines({ leftOut }: InitPlan, at: (place: string) => string): string[] {
  const loud = leftOut.filter((left) => left.loud)
  const quiet = leftOut.filter((left) => !left.loud)
  const lines = (list: typeof leftOut): string[] =>
    list.map(({ path: what, reason }) => {
      // Not everything that is left out has a place.
      const shown = path.isAbsolute(what) ? at(what) : what
      return `  #   ${comment(shown)}: ${comment(reason)}`
    })
  return [
    ...(loud.length === 0 ? [] : ['  #', '  # NOT BACKED UP, and it may hold data:', ...lines(loud)]),
    ...(quiet.length === 0 ? [] : ['  #', '  # Seen and left out:', ...lines(quiet)]),
  ]
}

function sealLines(plan: InitPlan, at: (place: string) => string): string[] {
  const file = shellQuoted(plan.passphraseFile)
  const folder = shellQuoted(path.dirname(plan.passphraseFile))
  return [
    '# How archives are sealed. The passphrase itself never stands in this file. Make it once:',
    '#',
    ...(plan.passphraseFile.startsWith('/etc/') ? [`#   install -d -m 0700 ${comment(folder)}`] : []),
    `#   (umask 077; set -C; head -c 33 /dev/urandom | base64 > ${comment(file)})`,
    '#',
    '# and keep a copy of it away from this machine: without it no archive can be opened, by anyone. For a machine that must',
    '# not be able to read its own archives, name recipients instead (`sealift keygen`):',
    '#   recipients: [sealift-recipient-v1:…]',
    'seal:',
    `  passphrase_file: ${quoted(at(plan.passphraseFile))}`,
    '  # zstd, or none where an attacker may choose content that lies beside secrets.',
    '  compression: zstd',
  ]
}

/** Relative to the configuration's folder where the place lies in it, because that is what the loader does with it. */
function shownFrom(folder: string, place: string): string {
  const relative = path.relative(folder, place)
  return relative === '' ? '.' : relative.startsWith('..') ? place : `./${relative}`
}

/** A YAML string; JSON's are a subset. A plain word needs no quotes. `$` begins a reference, so it is doubled. */
function quoted(text: string): string {
  const escaped = text.replaceAll('$', '$$$$')
  return /^[./]?[A-Za-z/][\w./-]*$/.test(escaped) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(escaped)
    ? escaped
    : JSON.stringify(escaped).replaceAll(/[\u007F-\u009F\u2028\u2029\uFEFF]/g, hex)
}

function hex(character: string): string {
  return String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0')
}

/** Text that stays on its comment line whatever is in it. */
function comment(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\uFEFF]/gu, '?')
}

function shellQuoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
