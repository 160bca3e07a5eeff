/**
 * Which part may know which. Each row: where a file is (longest prefix wins), and the places it may import from beside
 * its own; a place after `!` is inside its own and forbidden. Packages of npm and Node are not restricted here.
 */
import { dirname, join } from 'node:path/posix'

const contract = 'src/api/native/contract.ts'
const config = 'src/config/config.ts'
/** How spans become a tree: pure code that a browser and the command line run too. */
const traceModel = 'src/model/trace/'

const directions: Readonly<Record<string, readonly string[]>> = {
  'src/base/': [],
  'src/model/': ['src/base/'],
  [traceModel]: [],
  'src/codec/': ['src/model/', 'src/base/'],
  'src/capture/': ['src/codec/', 'src/model/', 'src/base/', config],
  'src/transport/': ['src/codec/', 'src/model/', 'src/base/'],
  // What all stores share does not know any one of them.
  'src/storage/': ['!src/storage/clickhouse/', 'src/model/', 'src/base/'],
  'src/storage/clickhouse/': ['src/storage/', 'src/model/', 'src/base/'],
  // Whatever is asked of a store is asked of `Reader` in model.
  'src/analysis/': ['src/model/', 'src/base/'],
  'src/api/': ['src/analysis/', 'src/codec/', 'src/model/', 'src/base/'],
  'src/cli/': [contract, traceModel, 'src/base/', config],
  'src/config/': ['src/base/'],
  // Asks receivers and observers what they would say of their options.
  'src/config/config-check.ts': ['src/capture/', 'src/config/', 'src/base/'],
  // Where stages meet. No stage imports these, and nothing else is at the top of src/.
  'src/joins/': ['src/'],
  'src/operation/': ['src/'],
  'src/server.ts': ['src/'],
  'src/main.ts': ['src/'],
  // The rest of base may use what a browser lacks.
  'web/': [contract, traceModel, 'src/base/name-slots.ts', 'src/base/pasted-id.ts'],
  'demo/': ['src/base/'],
  'scripts/': [],
  'bench/': ['src/', 'test/', 'demo/', 'scripts/'],
  'test/': ['src/', 'web/', 'demo/', 'scripts/', 'bench/'],
}

/** Unit tests lie beside their source and may take what they need from any stage. */
const isUnitTest = (path: string) => /\.test\.tsx?$/.test(path) && path.startsWith('src/')

/** Paths from the root of what a file imports by relative path, type imports too. */
export function importedPaths(path: string, source: string): string[] {
  const pattern =
    /^\s*(?:import|export)\s+(?:[\w*{][^'"=;()]*?\sfrom\s+)?['"](\.\.?\/[^'"]+)['"]|\bimport\(\s*['"](\.\.?\/[^'"]+)['"]\s*\)/gm
  return [...source.matchAll(pattern)].map((match) => join(dirname(path), match[1] ?? match[2] ?? ''))
}

/** The imports of a file that go against the direction. */
export function wrongImports(path: string, source: string): string[] {
  if (isUnitTest(path)) return []
  const place = Object.keys(directions)
    .filter((prefix) => path.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0]
  const imported = importedPaths(path, source)
  if (place === undefined) return imported.length === 0 ? [] : [`${path} is in no part that directions names`]
  const allowed = [place, ...directions[place]!]
  const forbidden = allowed.filter((prefix) => prefix.startsWith('!')).map((prefix) => prefix.slice(1))
  const isIn = (to: string, prefixes: readonly string[]) => prefixes.some((prefix) => to.startsWith(prefix))
  return imported.filter((to) => !isIn(to, allowed) || isIn(to, forbidden))
}
