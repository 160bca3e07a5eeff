import assert from 'node:assert/strict'
import { dirname, join } from 'node:path/posix'
import { test } from 'node:test'
import { linesOf, paths, read } from './checkout.ts'
import { assertNoFaults, type Fault } from './faults.ts'
import { anchorsOf, relativeLinks } from './links.ts'

const files = new Set(paths)
const folders = new Set(
  paths.flatMap((path) => path.split('/').map((_, depth, names) => names.slice(0, depth).join('/'))),
)

/** What is wrong with a link from a page; undefined when it leads somewhere in the repository. */
function faultOf(page: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  const to = path === '' ? page : join(dirname(page), decodeURIComponent(path)).replace(/\/$/, '')
  if (path.startsWith('/')) return `is absolute`
  if (!files.has(to) && !folders.has(to)) return `leads to ${to}, which is not in the repository`
  if (anchor === undefined || !to.endsWith('.md')) return undefined
  return anchorsOf(read(to)).has(anchor) ? undefined : `leads to a heading that ${to} does not have`
}

test('links of the docs lead to something in the repository', () => {
  const faults: Fault[] = []
  for (const path of paths.filter((each) => each.endsWith('.md'))) {
    for (const { target, line } of relativeLinks(read(path))) {
      const fault = faultOf(path, target)
      if (fault !== undefined) faults.push({ path, message: `line ${line}: ${target} ${fault}` })
    }
  }
  assertNoFaults('links', faults)
})

test('pages of the docs that code names exist', () => {
  const faults: Fault[] = []
  for (const path of paths.filter((each) => /\.(ts|tsx|mjs|js)$/.test(each) && !each.startsWith('test/style/'))) {
    linesOf(path).forEach((line, index) => {
      for (const [page] of line.matchAll(/\bdocs\/[\w/-]+\.md\b/g)) {
        if (!files.has(page)) faults.push({ path, message: `line ${index + 1}: ${page} is not in the repository` })
      }
    })
  }
  assertNoFaults('links', faults)
})

/** Endings of paths: comments name a file as its reader would, `known-keys.ts` or `codec/tail/tail-body.ts`. */
const endings = new Set(paths.flatMap((path) => path.split('/').map((_, depth, names) => names.slice(depth).join('/'))))

test('files that comments name exist', () => {
  const faults: Fault[] = []
  for (const path of paths.filter((each) => /\.(ts|tsx|mjs|js|css)$/.test(each))) {
    linesOf(path).forEach((line, index) => {
      const comment = /(?:^\s*\/?\*|\/\/|\/\*\*).*$/.exec(line)?.[0] ?? ''
      for (const [file] of comment.matchAll(/(?<![\w./-])[\w/-]+(?:\.test)?\.tsx?\b/g)) {
        if (!endings.has(file)) faults.push({ path, message: `line ${index + 1}: ${file} is not in the repository` })
      }
    })
  }
  assertNoFaults('links', faults)
})

test('links are found in every form, and not in code', () => {
  const page = [
    'a [link](one.md#part) and [![an image](two.png)](three.md "title")',
    '<img src="four.svg"> [far](https://example.org/x) [here](#part)',
    '[name]: five.md',
    '`[no](link.md)` and ``[no](`link.md)``',
    '```',
    '[no](link.md)',
    '```',
    '[six](six.md)',
  ].join('\n')
  assert.deepEqual(
    relativeLinks(page).map(({ target, line }) => `${line} ${target}`),
    ['1 one.md#part', '1 two.png', '1 three.md', '2 four.svg', '2 #part', '3 five.md', '8 six.md'],
  )
  assert.match(faultOf('README.md', 'docs/no-such-page.md') ?? '', /not in the repository/)
  assert.match(faultOf('docs/errors.md', 'configuration.md#no-such-part') ?? '', /heading/)
  assert.equal(faultOf('docs/errors.md', '../src/base'), undefined)
})

test('anchors are those of GitHub', () => {
  assert.deepEqual(
    [...anchorsOf('# A `b_c`: d, e!\n```\n# no\n```\n## Same\n## Same\n### [Text](x.md) – more')],
    ['a-b_c-d-e', 'same', 'same-1', 'text--more'],
  )
})
