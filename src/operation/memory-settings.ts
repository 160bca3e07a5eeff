/**
 * Applies the C library's memory settings for a server. They are read only when a process starts, so the process
 * replaces itself once, under the same id. By default, glibc raises its mmap threshold as soon as one large block is
 * freed. Request bodies and blocks then come from a heap that never shrinks, and a burst of spans leaves 300 MB behind
 * for good (docs/performance.md).
 *
 * `trimHeap` gives back free memory of the heap once no data arrives. For that, Node must be able to call the C library
 * (node:ffi, from Node 26). Without it, even the buffers of sockets are mapped on their own, which costs a sixth of the
 * CPU of ingest.
 */
import { isBuiltin } from 'node:module'

/** The part of node:ffi that is used here. */
interface Ffi {
  dlopen(
    library: string,
    functions: { malloc_trim: { arguments: ['u64']; return: 'i32' } },
  ): { readonly functions: CLibrary }
}

interface CLibrary {
  malloc_trim(pad: bigint): number
}

const ffiModule = 'node:ffi'

export function memorySettings(canTrim = isBuiltin(ffiModule)): Readonly<Record<string, string>> {
  // Sockets are read in blocks of 64 KiB, which come and go all the time; bodies and blocks are larger.
  return { MALLOC_MMAP_THRESHOLD_: canTrim ? '262144' : '32768', MALLOC_ARENA_MAX: '2' }
}

/** Hides Node's warning that calls into the C library are experimental; a person who starts clew need not read it. */
export const quietFlag = '--disable-warning=ExperimentalWarning'

/**
 * Starts this process again in its place with the settings. Returns when it already has them or the system cannot do
 * that.
 */
export function applyMemorySettings(): void {
  if (process.platform !== 'linux' || process.execve === undefined) return
  const settings = memorySettings()
  if (Object.keys(settings).every((name) => process.env[name] !== undefined)) return
  const args = [process.execPath, quietFlag, ...process.execArgv, ...process.argv.slice(1)]
  const env = { ...settings, ...(process.env as Record<string, string>) }
  process.execve(process.execPath, args, env)
}

let library: CLibrary | undefined

/** Gives free pages of the C library's heap back to the system, if this process was started for that. */
export function trimHeap(): void {
  if (!process.execArgv.includes(quietFlag) || !isBuiltin(ffiModule)) return
  try {
    const ffi = process.getBuiltinModule(ffiModule) as unknown as Ffi
    library ??= ffi.dlopen('libc.so.6', { malloc_trim: { arguments: ['u64'], return: 'i32' } }).functions
    library.malloc_trim(0n)
  } catch {
    // This is another C library.
  }
}
