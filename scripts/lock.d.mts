/** A parsed package-lock.json, as far as the repair looks at it. */
export interface Lock {
  packages: Record<string, { version?: string; resolved?: string; optionalDependencies?: Record<string, string> }>
}
export interface Platform {
  readonly os: readonly string[]
  readonly cpu: readonly string[]
  readonly libc?: readonly string[]
}
export function platformOfName(name: string): Platform | null
export function repairLock(lock: Lock): string[]
