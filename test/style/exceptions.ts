/**
 * Where a rule of style is broken on purpose: the visible debt. Each entry names the rule, the path and the reason; an
 * entry that no longer breaks its rule fails the test of that rule, so the list only holds what is true.
 */
export type StyleRule =
  | 'imports'
  | 'file-length'
  | 'function-length'
  | 'words'
  | 'file-names'
  | 'tests'
  | 'dependencies'
  | 'links'
  | 'exports'

export interface StyleException {
  readonly rule: StyleRule
  readonly path: string
  readonly reason: string
}

export const exceptions: readonly StyleException[] = []
