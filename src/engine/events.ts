/**
 * What a running verb says while it works. Text, NDJSON and the run log are readers of this one union; a verb never
 * prints. `phase` starts a step; `progress` carries running totals for the current one (`total` where it is known).
 */
export type Event =
  | { readonly type: 'phase'; readonly phase: Phase; readonly label: string }
  | { readonly type: 'progress'; readonly phase: Phase; readonly bytes: number; readonly total?: number }
  | {
      readonly type: 'warning'
      readonly code: string
      readonly message: string
      readonly source?: string
      readonly path?: string
    }
  | { readonly type: 'note'; readonly message: string }

export type Phase =
  | 'prepare'
  | 'snapshot'
  | 'examine'
  | 'seal'
  | 'copy'
  | 'verify'
  | 'fetch'
  | 'restore'
  | 'check'
  | 'swap'
  | 'rekey'
  | 'prune'
  | 'recover'
