/** "Did you mean": the known names closest to an unknown one. */
import { distance } from 'fastest-levenshtein'

/**
 * Up to `most` names, closest first, with at most a third of the word's length in edits. Names that contain the word
 * count as close.
 */
export function nearestNames(word: string, known: readonly string[], most = 3): string[] {
  const wanted = word.toLowerCase()
  const limit = Math.max(2, Math.ceil(wanted.length / 3))
  return known
    .map((name) => ({ name, edits: name.toLowerCase().includes(wanted) ? 1 : distance(wanted, name.toLowerCase()) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits || a.name.localeCompare(b.name))
    .slice(0, most)
    .map(({ name }) => name)
}
