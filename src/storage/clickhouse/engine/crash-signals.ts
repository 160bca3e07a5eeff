/**
 * The engine catches the signals of a crash to print where it happened. As a library it then waits 300 s for a thread
 * that only a server has. Until then the process exists and does not respond. With the system's own handling of these
 * signals, a crash ends the process at once, and it can be started again.
 */
import { constants } from 'node:os'
import { isBuiltin } from 'node:module'

/** The part of node:ffi (from Node 26) that is used here. */
interface Ffi {
  dlopen(
    library: string,
    functions: { signal: { arguments: ['i32', 'u64']; return: 'u64' } },
  ): { readonly functions: { signal(signal: number, handler: bigint): bigint } }
}

const ffiModule = 'node:ffi'
/** SIG_DFL of signal(2). */
const systemHandler = 0n

/** Call this once the engine is open. Where the system has no such call, `EngineProcess` finds that it hangs. */
export function dieOfCrashes(): void {
  if (process.platform !== 'linux' || !isBuiltin(ffiModule)) return
  try {
    const ffi = process.getBuiltinModule(ffiModule) as unknown as Ffi
    const { functions } = ffi.dlopen('libc.so.6', { signal: { arguments: ['i32', 'u64'], return: 'u64' } })
    const { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT } = constants.signals
    for (const signal of [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT]) functions.signal(signal, systemHandler)
  } catch {
    // Another C library.
  }
}
