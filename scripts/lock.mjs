/**
 * Keeps package-lock.json installable everywhere: `node scripts/lock.mjs` repairs it, `--check` only says what is wrong.
 *
 * `npm ci` refuses a lock that lacks an optional package of another platform, and npm leaves such packages out when the
 * registry it asked does not carry them. A stub with version, os and cpu is enough: npm skips it on every machine whose
 * platform differs. Registry addresses are dropped as well, so that each machine asks the registry it is set up for.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
const libraries = { gnu: 'glibc', musl: 'musl' }
/** 32-bit ARM binaries carry the ABI in their name: `linux-arm-gnueabihf`, `android-arm-eabi`. */
const abiSuffix = /eabi(hf)?$/

/** `@x/binding-linux-arm64-musl` -> `{os: ['linux'], cpu: ['arm64'], libc: ['musl']}`; null when the name tells neither. */
export function platformOfName(name) {
  const words = name.split(/[/-]/).map((word) => word.replace(abiSuffix, ''))
  const os = words.filter((word) => systems.includes(word))
  const cpu = words.filter((word) => processors.includes(word))
  const libc = words.filter((word) => word in libraries).map((word) => libraries[word])
  if (os.length === 0 || cpu.length === 0) return null
  return { os, cpu, ...(libc.length > 0 && { libc }) }
}

/** Changes `lock` in place and returns a line for each thing repaired; throws when a missing package has no platform. */
export function repairLock(lock) {
  const repairs = []
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (isRegistryAddress(entry.resolved)) {
      delete entry.resolved
      repairs.push(`${path}: dropped the registry's address`)
    }
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const place = `node_modules/${name}`
      if (lock.packages[place] ?? lock.packages[`${path}/${place}`]) continue
      const platform = platformOfName(name)
      if (platform === null) throw new Error(`cannot write a stub for ${name}: its name tells no platform`)
      lock.packages[place] = { version, ...platform, optional: true }
      repairs.push(`${place}: added a stub for ${version}`)
    }
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
  return repairs
}

/** Git and file dependencies need their address; what a registry serves is found again by name and checked by hash. */
function isRegistryAddress(resolved) {
  return typeof resolved === 'string' && /^https?:.*\.tgz$/.test(resolved)
}

function main() {
  const path = new URL('../package-lock.json', import.meta.url)
  const lock = JSON.parse(readFileSync(path, 'utf8'))
  const repairs = repairLock(lock)
  for (const line of repairs) console.error(line)
  if (process.argv.includes('--check')) process.exit(repairs.length === 0 ? 0 : 1)
  if (repairs.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  console.error(repairs.length === 0 ? 'package-lock.json is complete' : `package-lock.json: ${repairs.length} repairs`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
