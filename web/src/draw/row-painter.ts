/** What the waterfall shows, and what the code that draws one of its rows is given. */
import type { Palette } from '../model/colour.ts'
import type { Rows } from '../model/rows.ts'
import type { Trace } from '../model/trace.ts'

export interface WaterfallView {
  readonly trace: Trace
  readonly rows: Rows
  readonly open: Uint8Array
  /** Nanoseconds at the left and right edge. */
  readonly from: number
  readonly to: number
  readonly width: number
  readonly height: number
  readonly scrollTop: number
  readonly ticks: readonly number[]
  readonly palette: Palette
  readonly selected: number
  readonly found: Uint8Array | undefined
  /** Starts as sent; ghosts are drawn there while times are adjusted. */
  readonly ghosts: Float64Array | undefined
}

/** What one row needs; x grows by `scale` pixels a nanosecond from `from`. */
export interface RowPainter {
  readonly context: CanvasRenderingContext2D
  readonly view: WaterfallView
  readonly x: (nanos: number) => number
}
