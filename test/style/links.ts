/** The relative links of a Markdown page, and the anchors that links may lead to. */

export interface Link {
  /** As written, such as `../README.md#limits`. */
  readonly target: string
  readonly line: number
}

/** Inline links and images, nested ones too; reference definitions; `src` and `href` of HTML. */
const linkForms = /\]\(<?([^()\s>]+)>?(?:\s+"[^"]*")?\)|^\s*\[[^\]]+\]:\s+(\S+)|\b(?:src|href)="([^"]+)"/g

/** Code shows links, it has none. Line breaks stay. */
function withoutCode(page: string): string {
  const blank = (code: string): string => code.replace(/[^\n]/g, ' ')
  return page.replace(/^( *)(```|~~~)[^]*?^ *\2[^\n]*$/gm, blank).replace(/(`+)[^`](?:[^`]|(?!\1)`)*?\1/g, blank)
}

/** Links with a scheme (`https:`, `mailto:`) are left out: a test that asks other machines fails when they do. */
export function relativeLinks(page: string): Link[] {
  return withoutCode(page)
    .split('\n')
    .flatMap((text, index) =>
      [...text.matchAll(linkForms)].map((match) => ({
        target: match[1] ?? match[2] ?? match[3] ?? '',
        line: index + 1,
      })),
    )
    .filter(({ target }) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target))
}

/** The anchors of a page's headings, as GitHub makes them: `## Limits of receivers` is `limits-of-receivers`. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  const source = page.replace(/^( *)(```|~~~)[^]*?^ *\2[^\n]*$/gm, '')
  for (const [, heading = ''] of source.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const text = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    const plain = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '')
    const slug = plain.replace(/\s/g, '-')
    let unique = slug
    for (let n = 1; anchors.has(unique); n++) unique = `${slug}-${n}`
    anchors.add(unique)
  }
  return anchors
}
