/**
 * Brings node_modules to what package-lock.json says, with the Node and npm the machine has.
 * Part of the bootstrap: runs before anything is installed, on Node 20 and above.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const nodeMajorMin = 24

/** The Node that comes as a dependency; every job runs on it, so that all machines run the same one. */
export function projectNode(root) {
  return join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
}

/** Installs when something is missing or has another version than the lock; quiet and quick when nothing is to do. */
export async function ensureInstalled(root) {
  const fault = installFault(root)
  if (fault !== null) {
    ensureAtomicLibrary()
    say(`installing dependencies (${fault}); the embedded engine alone is 550 MB, so the first time takes a while`)
    npm(root, ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  }
  ensureNode(root)
}

/**
 * Newer binaries of Node load libatomic.so.1, which minimal images of Debian and Ubuntu lack: npm would end with an error
 * of the package `node`. As root it is installed.
 */
function ensureAtomicLibrary() {
  if (process.platform !== 'linux' || hasLibrary('libatomic.so.1') || !existsSync('/usr/bin/apt-get')) return
  if (process.getuid?.() !== 0)
    throw new Error('cannot install: Node needs libatomic.so.1; install it first: sudo apt-get install libatomic1')
  say('installing libatomic1, which Node needs')
  spawnSync('apt-get', ['update', '-q'], { stdio: ['ignore', 2, 2] })
  const { status } = spawnSync('apt-get', ['install', '-qy', 'libatomic1'], { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('cannot install: Node needs libatomic.so.1, and apt-get cannot install libatomic1')
}

function hasLibrary(name) {
  const folders = ['/lib', '/usr/lib', '/lib64', '/usr/lib64'].filter((folder) => existsSync(folder))
  const below = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((entry) => entry.includes('linux-gnu'))
      .map((entry) => join(folder, entry)),
  )
  return [...folders, ...below].some((folder) => existsSync(join(folder, name)))
}

/**
 * Why node_modules does not match the lock, or null. Compared by content with npm's own record of what it installed,
 * because file times say nothing after a clone or a copy.
 */
function installFault(root) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return 'nothing is installed'
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const version = installed[path]?.version
    if (version === undefined && !entry.optional) return `${path} is missing`
    if (version !== undefined && version !== entry.version)
      return `${path} is ${version}, the lock says ${entry.version}`
  }
  return null
}

/** The npm package `node` fetches its binary in an install script, which npm may be set up not to run. */
function ensureNode(root) {
  if (nodeMajor(root) >= nodeMajorMin) return
  say('fetching the Node that clew runs on (its install script has not run)')
  const folder = join(root, 'node_modules', 'node')
  spawnSync(process.execPath, ['installArchSpecificPackage'], { cwd: folder, stdio: ['ignore', 2, 2] })
  // npm links no program that was not there when it looked.
  if (process.platform !== 'win32' && !existsSync(projectNode(root))) symlinkSync('../node/bin/node', projectNode(root))
  const major = nodeMajor(root)
  if (major >= nodeMajorMin) return
  throw new Error(
    `cannot run clew: node_modules/.bin/node ${major === 0 ? 'does not start' : `is version ${major}`}, ` +
      `version ${nodeMajorMin} or above is needed. Allow the install script of the package "node" ` +
      '(npm config get ignore-scripts should be false), then run npm ci',
  )
}

/** Major version of the project's Node; 0 when it does not start. */
function nodeMajor(root) {
  try {
    const version = execFileSync(projectNode(root), ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0)
  } catch {
    return 0
  }
}

function npm(root, args) {
  const { status, error } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (error !== undefined) throw new Error(`cannot install: npm does not start: ${error.message}`)
  if (status !== 0)
    throw new Error(`cannot install: npm ${args.join(' ')} ended with code ${status}; its output is above`)
}

function say(line) {
  process.stderr.write(`clew: ${line}\n`)
}
