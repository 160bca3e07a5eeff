/** One open trace: its view as signals, and the actions that change the view. Lives as long as its page. */
import { batch, computed, effect, signal, untracked } from '@preact/signals'
import { addStep, applySteps, defaultOpen, parseSteps, printSteps } from '../model/fold.ts'
import type { FoldStep } from '../model/fold.ts'
import {
  computeRows,
  countFilters,
  matchFilters,
  nextMarked,
  noFilters,
  openForMatches,
  shownAncestor,
} from '../model/rows.ts'
import type { RowFilters } from '../model/rows.ts'
import { findNode, has, hasChildren, isSpan, nodeFlags, nodeKey } from '../model/trace.ts'
import type { Trace } from '../model/trace.ts'
import { createLoader } from './loader.ts'
import { go, place } from './location.ts'
import { TraceClient } from './trace-client.ts'
import type { Found, Opened } from './trace-messages.ts'
import { TracePanel } from './trace-panel.ts'
import { parseTraceUrl, printTraceUrl, traceIdOf } from './trace-url.ts'
import type { TimeWindow } from './trace-url.ts'

export const rowHeight = 24
const windowMinNanos = 10
const findDelayMs = 150

export class TracePage {
  readonly traceId: string
  readonly opened = createLoader<Opened>()
  readonly trace = signal<Trace | undefined>(undefined)
  readonly selected = signal(-1)
  /** Row under the pointer, in the names or in the bars; -1 for none. */
  readonly hovered = signal(-1)
  readonly window = signal<TimeWindow>({ from: 0, to: 1 })
  readonly steps = signal<readonly FoldStep[]>([])
  readonly filters = signal<RowFilters>(noFilters)
  readonly findText = signal('')
  readonly found = signal<Found>({ marks: undefined, count: 0 })
  readonly adjusted = signal(false)
  readonly panelOpen = signal(true)
  readonly scrollTop = signal(0)
  readonly viewHeight = signal(600)
  /** Tells the waterfall to scroll a node into view; a new object each time. */
  readonly reveal = signal<{ readonly node: number } | undefined>(undefined)

  readonly #matches = computed(() =>
    this.trace.value ? matchFilters(this.trace.value, this.filters.value, this.found.value.marks) : undefined,
  )
  readonly #default = computed(() => (this.trace.value ? defaultOpen(this.trace.value) : new Uint8Array()))
  readonly #base = computed(() =>
    this.#matches.value ? openForMatches(this.trace.value!.tree, this.#matches.value) : this.#default.value,
  )
  readonly open = computed(() =>
    this.trace.value ? applySteps(this.trace.value.tree, this.#base.value, this.steps.value) : this.#base.value,
  )
  readonly rows = computed(() => {
    const trace = this.trace.value
    if (!trace) return undefined
    return computeRows({ tree: trace.tree, open: this.open.value, matches: this.#matches.value })
  })
  readonly counts = computed(() =>
    this.trace.value ? countFilters(this.trace.value) : { critical: 0, errors: 0, slow: 0 },
  )
  /** "4 of 17": which match is selected, 0 when none is. */
  readonly matchNumber = computed(() => {
    const { marks } = this.found.value
    const at = this.selected.value
    if (!marks || at < 0 || !marks[at]) return 0
    let number = 0
    for (let node = 0; node <= at; node++) number += marks[node]!
    return number
  })

  rawStart: Float64Array = new Float64Array()
  readonly #client = new TraceClient()
  readonly panel = new TracePanel(this.#client)
  readonly #stops: (() => void)[] = []
  #findTimer: ReturnType<typeof setTimeout> | undefined
  #appliedSearch = ''

  constructor(traceId: string) {
    this.traceId = traceId
    void this.load()
  }

  close(): void {
    clearTimeout(this.#findTimer)
    for (const stop of this.#stops) stop()
    this.opened.cancel()
    this.#client.close()
  }

  async load(): Promise<void> {
    const { adjusted } = parseTraceUrl(new URLSearchParams(place.value.search))
    await this.opened.run(() => this.#client.ask<'open'>({ ask: 'open', traceId: this.traceId, adjusted }))
    const opened = this.opened.state.value.value
    if (!opened || this.trace.value) return
    await this.#show(opened, adjusted)
  }

  async #show(opened: Opened, adjusted: boolean): Promise<void> {
    const url = parseTraceUrl(new URLSearchParams(place.value.search))
    const found = url.find === '' ? undefined : await this.#client.ask<'find'>({ ask: 'find', text: url.find })
    this.rawStart = opened.rawStart
    batch(() => {
      this.adjusted.value = adjusted
      this.trace.value = { tree: opened.tree, timing: opened.timing }
      this.#applyUrl(found)
      if (this.selected.value < 0) this.select(this.#firstMatch(), { reveal: true })
    })
    this.#followUrl()
    this.#writeUrl()
    this.#loadPanel()
  }

  #firstMatch(): number {
    const { marks } = this.found.value
    const first = marks ? marks.indexOf(1) : -1
    return first >= 0 ? first : 0
  }

  #applyUrl(found?: Found): void {
    const trace = this.trace.value!
    const url = parseTraceUrl(new URLSearchParams(place.value.search))
    this.#appliedSearch = place.value.search
    const duration = Math.max(windowMinNanos, trace.timing.duration)
    this.window.value = url.window ? clampWindow(url.window, duration) : { from: 0, to: duration }
    this.filters.value = url.filters
    this.steps.value = parseSteps(trace.tree, url.fold)
    if (url.find !== this.findText.value || found) {
      this.findText.value = url.find
      if (found) this.found.value = found
      else this.find(url.find)
    }
    const node = url.span === '' ? -1 : findNode(trace.tree, url.span)
    if (node >= 0) this.select(node, { reveal: true })
    if (url.adjusted !== this.adjusted.value) void this.setAdjusted(url.adjusted)
  }

  /** On Back and Forward the state follows the URL; otherwise the URL follows the state. */
  #followUrl(): void {
    this.#stops.push(
      effect(() => {
        const { path, search } = place.value
        if (traceIdOf(path) !== this.traceId || search === this.#appliedSearch) return
        untracked(() => batch(() => this.#applyUrl()))
      }),
      effect(() => {
        void this.selected.value
        untracked(() => this.#loadPanel())
      }),
    )
    let isFirst = true
    this.#stops.push(
      effect(() => {
        this.#printUrl()
        if (isFirst) isFirst = false
        else untracked(() => this.#writeUrl())
      }),
    )
  }

  /** The address of the current view. */
  #printUrl(): string {
    const { tree, timing } = this.trace.value!
    const { from, to } = this.window.value
    return printTraceUrl(this.traceId, {
      span: this.selected.value >= 0 ? nodeKey(tree, this.selected.value) : '',
      window: from <= 0 && to >= timing.duration ? undefined : { from, to },
      find: this.findText.value,
      filters: this.filters.value,
      adjusted: this.adjusted.value,
      fold: printSteps(tree, this.steps.value),
    })
  }

  #writeTimer: ReturnType<typeof setTimeout> | undefined
  /** Browsers reject more than a few hundred history changes per minute, so the URL is written when zooming stops. */
  #writeUrl(): void {
    clearTimeout(this.#writeTimer)
    this.#writeTimer = setTimeout(() => this.#commitUrl(true), 120)
  }

  #commitUrl(replace: boolean): void {
    clearTimeout(this.#writeTimer)
    if (traceIdOf(location.pathname) !== this.traceId || !this.trace.value) return
    const url = this.#printUrl()
    this.#appliedSearch = url.includes('?') ? url.slice(url.indexOf('?')) : ''
    go(url, { replace })
  }

  /** A step that Back undoes. */
  step(change: () => void): void {
    this.#commitUrl(true)
    batch(change)
    this.#commitUrl(false)
  }

  select(node: number, options: { reveal?: boolean } = {}): void {
    const trace = this.trace.value
    if (!trace || node < 0 || node >= trace.tree.nodeCount) return
    batch(() => {
      this.selected.value = node
      if (!options.reveal) return
      this.#unfoldTo(node)
      this.reveal.value = { node }
    })
  }

  #unfoldTo(node: number): void {
    const { tree } = this.trace.value!
    if (this.rows.value!.rowOf[node]! >= 0) return
    let steps = [...this.steps.value]
    for (let above = tree.parent[node]!; above >= 0; above = tree.parent[above]!) {
      if (!this.open.value[above]) steps = addStep(tree, steps, { node: above, open: true, wholeSubtree: false })
    }
    this.steps.value = steps
  }

  #loadPanel(): void {
    const node = this.selected.value
    const trace = this.trace.value
    // Groups and missing parents have no details, but the first node also shows the logs that belong to no span.
    if (node >= 0 && trace) this.panel.show(node, isSpan(trace.tree, node) || node === 0)
  }

  toggle(node: number, options: { open?: boolean; wholeSubtree?: boolean } = {}): void {
    const { tree } = this.trace.value!
    if (!hasChildren(tree, node)) return
    const open = options.open ?? !this.open.value[node]
    batch(() => {
      this.steps.value = addStep(tree, this.steps.value, { node, open, wholeSubtree: options.wholeSubtree ?? false })
      const shown = shownAncestor(tree, this.rows.value!, this.selected.value)
      if (shown >= 0 && shown !== this.selected.value) this.selected.value = shown
    })
  }

  setFilter(part: Partial<RowFilters>): void {
    this.step(() => {
      this.filters.value = { ...this.filters.value, ...part }
      const at = shownAncestor(this.trace.value!.tree, this.rows.value!, this.selected.value)
      if (at >= 0) this.reveal.value = { node: at }
    })
  }

  find(text: string): void {
    this.findText.value = text
    clearTimeout(this.#findTimer)
    if (text.trim() === '') {
      this.found.value = { marks: undefined, count: 0 }
      return
    }
    this.#findTimer = setTimeout(async () => {
      const found = await this.#client.ask<'find'>({ ask: 'find', text })
      if (this.findText.value !== text) return
      batch(() => {
        this.found.value = found
        const at = this.selected.value
        if (found.marks && found.count > 0 && !found.marks[at]) this.#goTo((node) => found.marks![node] === 1, 1)
      })
    }, findDelayMs)
  }

  #goTo(marks: (node: number) => boolean, step: 1 | -1): void {
    const count = this.trace.value!.tree.nodeCount
    const node = nextMarked(marks, { from: this.selected.value, step, count })
    if (node >= 0) this.select(node, { reveal: true })
  }

  nextMatch(step: 1 | -1): void {
    const { marks } = this.found.value
    if (marks) this.#goTo((node) => marks[node] === 1, step)
  }

  nextError(step: 1 | -1): void {
    const { tree } = this.trace.value!
    this.#goTo((node) => has(tree, node, nodeFlags.error), step)
  }

  async setAdjusted(adjusted: boolean): Promise<void> {
    const timing = await this.#client.ask<'timing'>({ ask: 'timing', adjusted })
    batch(() => {
      this.adjusted.value = adjusted
      this.trace.value = { tree: this.trace.value!.tree, timing }
      this.window.value = clampWindow(this.window.value, timing.duration)
    })
    this.#commitUrl(false)
  }

  zoomTo(window: TimeWindow): void {
    this.window.value = clampWindow(window, this.trace.value!.timing.duration)
  }

  /** A factor below 1 zooms in and keeps `at` (nanoseconds) in its place. */
  zoomBy(factor: number, at: number): void {
    const { from, to } = this.window.value
    this.zoomTo({ from: at - (at - from) * factor, to: at + (to - at) * factor })
  }

  panBy(share: number): void {
    const { from, to } = this.window.value
    const shift = (to - from) * share
    const limit = this.trace.value!.timing.duration
    const by = Math.max(-from, Math.min(limit - to, shift))
    this.zoomTo({ from: from + by, to: to + by })
  }

  /** The window around a node, with a small margin. */
  fit(node: number): void {
    const { timing } = this.trace.value!
    const length = Math.max(windowMinNanos, timing.length[node]!)
    const start = timing.start[node]!
    this.zoomTo({ from: start - length * 0.05, to: start + length * 1.15 })
  }

  zoomOut(): void {
    this.zoomTo({ from: 0, to: Infinity })
  }
}

function clampWindow({ from, to }: TimeWindow, duration: number): TimeWindow {
  const whole = Math.max(windowMinNanos, duration)
  const low = Math.max(0, Math.min(from, whole - windowMinNanos))
  return { from: low, to: Math.min(whole, Math.max(to, low + windowMinNanos)) }
}
