import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { scrollToRow, virtualWindow } from "../logic/virtual-window.ts";
import { listKeys, useAsCurrentList } from "./current-list.ts";
import type { ListSource } from "./list-source.ts";

/** Height of a row, pixels; the style sheet says the same. */
const ROW = 36;

export interface Column<Item> {
  readonly title: string;
  /** Hidden where the page is narrow. */
  readonly isWide?: boolean;
  readonly isNumber?: boolean;
  cell(item: Item, index: number): ComponentChildren;
}

interface Props<Item> {
  readonly label: string;
  readonly source: ListSource<Item>;
  readonly columns: readonly Column<Item>[];
  /** Names the widths of the columns in the style sheet. */
  readonly layout: string;
  /** How many rows were ever put before the first: what is looked at stays in its place. */
  readonly prepended?: number;
  /** The row that is shown in detail. */
  readonly selected?: number;
  readonly tone?: (item: Item) => string | undefined;
  readonly onOpen?: (item: Item, index: number) => void;
}

/** A list of any length: only what is seen is in the document. Arrows, `j`, `k`, Home, End, Enter. */
export function VirtualList<Item>(props: Props<Item>): JSX.Element {
  const { source, columns, prepended = 0, selected } = props;
  const id = useId();
  const element = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [viewport, setViewport] = useState(600);
  const [active, setActive] = useState(0);
  const extent = { length: source.length, rowHeight: ROW, viewport, scrollTop };
  const seen = virtualWindow(extent);

  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      setViewport(Math.max(ROW, (entry?.contentRect.height ?? 0) - ROW)),
    );
    if (element.current !== null) observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => source.want?.(seen.first, seen.end));

  const before = useRef(prepended);
  useLayoutEffect(() => {
    const more = prepended - before.current;
    before.current = prepended;
    if (more === 0 || element.current === null) return;
    if (element.current.scrollTop > 0) element.current.scrollTop += more * ROW;
    if (active > 0) setActive((index) => Math.max(0, Math.min(source.length - 1, index + more)));
  }, [prepended]);

  const moveTo = (index: number): void => {
    const row = Math.max(0, Math.min(source.length - 1, index));
    setActive(row);
    element.current?.scrollTo({ top: scrollToRow(row, extent) });
  };
  useEffect(() => {
    if (selected !== undefined && selected >= 0) moveTo(selected);
  }, [selected]);
  const open = (index: number): void => {
    const item = source.at(index);
    if (item !== undefined) props.onOpen?.(item, index);
  };
  const page = Math.max(1, Math.floor(viewport / ROW) - 1);
  const keys = listKeys({ active, page, length: source.length, moveTo, open });
  useAsCurrentList(element, { move: (by) => moveTo(active + by) });

  // As many keys as rows can be seen: an element is used again for another row.
  const pool = Math.ceil(viewport / ROW) + 16;
  const rows: JSX.Element[] = [];
  for (let index = seen.first; index < seen.end; index += 1) {
    const item = source.at(index);
    rows.push(
      <div
        key={index % pool}
        id={`${id}-${index}`}
        role="row"
        aria-rowindex={index + 2}
        class="row"
        data-active={index === active}
        data-selected={index === selected}
        data-tone={item === undefined ? undefined : props.tone?.(item)}
        onClick={(event) => {
          setActive(index);
          if ((event.target as Element).closest("a, button") === null) open(index);
        }}
      >
        {columns.map((column) => (
          <div key={column.title} role="gridcell" class="cell" data-wide={column.isWide} data-number={column.isNumber}>
            {item === undefined ? <span class="bone" /> : column.cell(item, index)}
          </div>
        ))}
      </div>,
    );
  }
  return (
    <div
      ref={element}
      role="grid"
      tabIndex={0}
      class={`list ${props.layout}`}
      aria-label={props.label}
      aria-rowcount={source.length + 1}
      aria-activedescendant={active >= seen.first && active < seen.end ? `${id}-${active}` : undefined}
      onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
      onKeyDown={keys}
    >
      <div role="rowgroup" class="list-head">
        <div role="row" aria-rowindex={1} class="row head">
          {columns.map((column) => (
            <div
              key={column.title}
              role="columnheader"
              class="cell"
              data-wide={column.isWide}
              data-number={column.isNumber}
            >
              {column.title}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="list-body" style={{ height: `${seen.height}px` }}>
        <div role="presentation" style={{ transform: `translateY(${seen.top}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
