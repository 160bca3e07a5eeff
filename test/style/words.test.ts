import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesOf, paths } from './checkout.ts'
import { assertNoFaults, type Fault } from './faults.ts'

/** Words in two halves, so that this file does not hold what it forbids. */
const word = (...halves: string[]): string => halves.join('')

/** The project speaks only of itself: not of what it was written with, nor of the machines it was written on. */
const forbidden: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  {
    pattern: new RegExp(
      `\\b(${word('clau', 'de')}|${word('anth', 'ropic')}|${word('copi', 'lot')}|${word('chat', 'gpt')})\\b`,
      'i',
    ),
    why: 'names a writing tool',
  },
  {
    pattern: new RegExp(
      `\\b(AI|${word('L', 'LM')})[- ](${word('gener', 'ated')}|${word('writ', 'ten')}|${word('assis', 'ted')})`,
      'i',
    ),
    why: 'speaks of how it was written',
  },
  {
    pattern: new RegExp(`(^|[\\s'"\`(=:])/(${word('wo', 'rk')}|${word('ro', 'ot')})/`),
    why: 'is a path of one machine',
  },
  {
    pattern: new RegExp(`\\b${word('sha', 'red')}/(${word('DES', 'IGN')}|STYLE|SURFACES|UX|NATIVE)\\b`),
    why: 'points outside the repository',
  },
  {
    pattern: new RegExp(
      `https?://[^\\s/'"]*(${word('regi', 'stry')}|${word('art', 'ifactory')}|${word('ver', 'daccio')}|pypi|${word('mir', 'ror')})[^\\s/'"]*`,
      'i',
    ),
    why: 'is the address of a package registry',
  },
]

/** Phrases that a reader has to take in twice, and what to write instead. */
const unplain: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: new RegExp(`\\b${word('an', 'ew')}\\b`, 'i'), instead: 'again' },
  { pattern: new RegExp(`\\bin ${word('va', 'in')}\\b`, 'i'), instead: 'never helps' },
  { pattern: new RegExp(`\\b(lies|lie) ${word('i', 'n')}\\b`, 'i'), instead: 'is in' },
  { pattern: new RegExp(`\\b${word('happen', 'ings?')}\\b`, 'i'), instead: 'separate events' },
  { pattern: new RegExp(`\\bbytes that are ${word('n', 'o')} `, 'i'), instead: 'invalid UTF-8' },
  { pattern: new RegExp(`\\bof which a ${word('re', 'st')}\\b`, 'i'), instead: 'not read to the end' },
  { pattern: new RegExp(`\\bmade to ${word('ha', 'rm')}\\b`, 'i'), instead: 'malicious' },
  { pattern: new RegExp(`\\bgeneral ${word('ro', 'ad')}\\b`, 'i'), instead: 'slow path' },
  { pattern: new RegExp(`\\bat most so ${word('ma', 'ny')}\\b`, 'i'), instead: 'the maximum number of' },
  { pattern: new RegExp(`\\bis content ${word('aga', 'in')}\\b`, 'i'), instead: 'reports no problem' },
  { pattern: new RegExp(`\\brefused ${word('poli', 'tely')}\\b`, 'i'), instead: 'acknowledged and discarded' },
]

const isText = (path: string): boolean => !/\.(png|ico|gz|zst|bin|pb|woff2?)$/.test(path)

/** What is wrong with one line; empty when nothing is. */
function forbiddenIn(line: string): string[] {
  return forbidden.filter(({ pattern }) => pattern.test(line)).map(({ why }) => why)
}

test('nothing in the repository speaks of how or where it was written', () => {
  const faults: Fault[] = []
  for (const path of paths.filter(isText)) {
    linesOf(path).forEach((line, index) => {
      for (const why of forbiddenIn(line)) faults.push({ path, message: `line ${index + 1} ${why}` })
    })
  }
  assertNoFaults('words', faults)
})

test('the text is plain English', () => {
  const faults: Fault[] = []
  for (const path of paths.filter(isText)) {
    linesOf(path).forEach((line, index) => {
      for (const { pattern, instead } of unplain) {
        if (pattern.test(line))
          faults.push({ path, message: `line ${index + 1}: write "${instead}" for ${pattern.source}` })
      }
    })
  }
  assertNoFaults('words', faults)
})

test('the forbidden words are found', () => {
  const bad = [
    word('Clau', 'de wrote this'),
    word('AI-', 'gener', 'ated'),
    word("cd '/wo", "rk/main'"),
    word('see sha', 'red/STYLE.md'),
    word('"https://regi', 'stry.example.org/x.tgz"'),
  ]
  for (const line of bad) assert.equal(forbiddenIn(line).length, 1, line)
  for (const line of ['the Jaeger agent', 'shared/', 'a/work/b', 'https://example.org/']) {
    assert.deepEqual(forbiddenIn(line), [], line)
  }
})
