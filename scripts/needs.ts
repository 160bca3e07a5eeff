/**
 * What the tests need of the machine beside Node: a browser, Python, and the real clients of syslog and plain events. On
 * Debian and Ubuntu, as root or with sudo that asks for no password, what is missing is installed; elsewhere it is named.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Need {
  /** Package of Debian and Ubuntu. */
  readonly package: string
  readonly what: string
  readonly isThere: () => boolean
}

const needs: readonly Need[] = [
  { package: 'chromium', what: 'a browser, /usr/bin/chromium', isThere: () => existsSync('/usr/bin/chromium') },
  { package: 'python3', what: 'Python 3', isThere: () => onPath('python3') },
  {
    package: 'python3-venv',
    what: 'venv of Python 3',
    isThere: () => succeeds('python3', ['-c', 'import ensurepip, venv']),
  },
  { package: 'rsyslog', what: 'rsyslogd', isThere: () => existsSync('/usr/sbin/rsyslogd') },
  { package: 'logrotate', what: 'logrotate', isThere: () => existsSync('/usr/sbin/logrotate') },
  { package: 'netcat-openbsd', what: 'nc', isThere: () => onPath('nc') },
  { package: 'curl', what: 'curl', isThere: () => onPath('curl') },
  { package: 'openssl', what: 'openssl', isThere: () => onPath('openssl') },
  { package: 'bsdutils', what: 'logger', isThere: () => onPath('logger') },
  { package: 'strace', what: 'strace', isThere: () => onPath('strace') },
]

/** Installs what is missing, or says what to install; the tests that lack something are then skipped, and fail in CI. */
export function ensureNeeds(): void {
  const missing = needs.filter(({ isThere }) => !isThere())
  if (missing.length === 0) return
  const packages = missing.map((need) => need.package)
  const command = installCommand(packages)
  if (command === undefined) {
    say(`missing for the tests: ${missing.map(({ what }) => what).join(', ')}; on Debian and Ubuntu they come with`)
    say(`  apt-get install ${packages.join(' ')}`)
    return
  }
  say(`installing for the tests: ${packages.join(' ')}`)
  for (const [program, ...args] of command) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const { status } = spawnSync(program!, args, { env, stdio: ['ignore', 2, 2] })
    if (status !== 0) return say(`cannot install: ${[program, ...args].join(' ')} ended with ${status}`)
  }
}

/** The commands that install packages, or `undefined` where this user cannot. */
function installCommand(packages: readonly string[]): string[][] | undefined {
  if (!onPath('apt-get')) return undefined
  const isRoot = process.getuid?.() === 0
  if (!isRoot && !succeeds('sudo', ['-n', 'true'])) return undefined
  // Not every sudo lets variables through.
  const asRoot = isRoot ? [] : ['sudo', '-n', 'env', 'DEBIAN_FRONTEND=noninteractive']
  return [
    [...asRoot, 'apt-get', 'update', '-q'],
    [...asRoot, 'apt-get', 'install', '-qy', ...packages],
  ]
}

function onPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

function say(line: string): void {
  process.stderr.write(`clew: ${line}\n`)
}
