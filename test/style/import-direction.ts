/**
 * Which part may know which. Each row: where a file is (longest prefix wins), and the places it may import from beside
 * its own. Packages of npm and Node are not restricted here.
 */
import { dirname, join } from 'node:path/posix'

const contract = 'src/api/native/contract.ts'

const directions: Readonly<Record<string, readonly string[]>> = {
  'src/base/': [],
  'src/model/': ['src/base/'],
  'src/codec/': ['src/model/', 'src/base/'],
  'src/capture/': ['src/codec/', 'src/model/', 'src/base/', 'src/config.ts'],
  'src/transport/': ['src/codec/', 'src/model/', 'src/base/'],
  'src/storage/': ['src/model/', 'src/base/'],
  'src/storage/clickhouse/': ['src/storage/', 'src/model/', 'src/base/'],
  'src/analysis/': ['src/storage/', 'src/model/', 'src/base/'],
  'src/api/': ['src/analysis/', 'src/storage/', 'src/codec/', 'src/model/', 'src/base/'],
  'src/cli/': [contract, 'src/base/', 'src/config.ts'],
  'src/config.ts': ['src/config/', 'src/base/'],
  'src/config/': ['src/base/'],
  // The rest of base may use what a browser lacks.
  'web/': [contract, 'src/base/name-slots.ts'],
  'demo/': ['src/base/'],
  'scripts/': [],
  'bench/': ['src/', 'test/', 'demo/', 'scripts/'],
  'test/': ['src/', 'web/', 'demo/', 'scripts/', 'bench/'],
}

/** Folders that the part around them does not know: a consumer of the log is the same for every store. */
const unknownToParent = ['src/storage/clickhouse/']

/** What lies beside server.ts joins stages with it. */
const isJoin = (path: string) => /^src\/[a-z-]+\.ts$/.test(path) && directions[path] === undefined

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
  if (isJoin(path)) return []
  const imported = importedPaths(path, source)
  if (place === undefined) return imported.length === 0 ? [] : [`${path} lies in no part that directions names`]
  const allowed = [place, ...directions[place]!]
  const isHidden = (to: string): boolean =>
    unknownToParent.some((child) => to.startsWith(child) && child.startsWith(place) && child !== place)
  return imported.filter((to) => isHidden(to) || !allowed.some((prefix) => to.startsWith(prefix)))
}
