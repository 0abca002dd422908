/** Tallest element that every browser lays out truly, CSS pixels; Firefox stops near 17.8 million. */
export const TALLEST = 8_000_000;

/** The rows of a list that have to be in the document. */
export interface VirtualWindow {
  /** First row. */
  readonly first: number;
  /** One after the last row. */
  readonly end: number;
  /** Height of the whole list as the scroll bar sees it, pixels. */
  readonly height: number;
  /** Where the first row begins, pixels from the top of the list. */
  readonly top: number;
}

export interface Extent {
  readonly length: number;
  readonly rowHeight: number;
  readonly viewport: number;
  readonly scrollTop: number;
}

/** Rows before and after what is seen, so that a scroll step finds them there. */
const BEYOND = 6;

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

/**
 * Which rows are seen. A list taller than {@link TALLEST} is scrolled in proportion: the scroll bar has the tallest
 * height, and its way is spread over all rows.
 */
export function virtualWindow({ length, rowHeight, viewport, scrollTop }: Extent): VirtualWindow {
  const full = length * rowHeight;
  const height = Math.min(full, TALLEST);
  const way = Math.max(0, height - viewport);
  const position = clamp(scrollTop, 0, way);
  const offset = full === height ? position : (position / Math.max(1, way)) * (full - viewport);
  const seen = Math.floor(offset / rowHeight);
  const first = clamp(seen - BEYOND, 0, length);
  const end = clamp(seen + Math.ceil(viewport / rowHeight) + 1 + BEYOND, 0, length);
  return { first, end, height, top: position - (offset - first * rowHeight) };
}

/** The scroll position that brings `row` into sight with the least movement. */
export function scrollToRow(row: number, extent: Extent): number {
  const { length, rowHeight, viewport, scrollTop } = extent;
  const full = length * rowHeight;
  const height = Math.min(full, TALLEST);
  const way = Math.max(1, height - viewport);
  const scale = full === height ? 1 : (full - viewport) / way;
  const offset = scrollTop * scale;
  const start = row * rowHeight;
  if (start < offset) return start / scale;
  if (start + rowHeight > offset + viewport) return (start + rowHeight - viewport) / scale;
  return scrollTop;
}
