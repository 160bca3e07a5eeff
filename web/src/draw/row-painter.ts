/** What the waterfall shows, and the input of the code that draws one of its rows. */
import type { Palette } from '../model/colour.ts'
import type { Rows } from '../model/rows.ts'
import type { Trace } from '../model/trace.ts'

export interface WaterfallView {
  readonly trace: Trace
  readonly rows: Rows
  readonly open: Uint8Array
  /** Nanoseconds at the left and right edges. */
  readonly from: number
  readonly to: number
  readonly width: number
  readonly height: number
  readonly scrollTop: number
  readonly ticks: readonly number[]
  readonly palette: Palette
  readonly selected: number
  readonly found: Uint8Array | undefined
  /** Starts as sent. While times are adjusted, ghosts are drawn there. */
  readonly ghosts: Float64Array | undefined
}

/** Input for drawing one row; x grows by `scale` pixels per nanosecond, starting at `from`. */
export interface RowPainter {
  readonly context: CanvasRenderingContext2D
  readonly view: WaterfallView
  readonly x: (nanos: number) => number
}
