import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** How long typing rests before it counts, milliseconds. */
const REST = 150;

interface Props {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly onChange: (value: string) => void;
}

/** Where one searches; `/` leads to the first of the page, Escape empties it. */
export function SearchField({ label, value, placeholder, onChange }: Props): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const element = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // What the address says, unless somebody is typing.
    if (element.current !== null && document.activeElement !== element.current) element.current.value = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      ref={element}
      type="search"
      class="search"
      aria-label={label}
      placeholder={placeholder ?? label}
      defaultValue={value}
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => {
        const text = event.currentTarget.value;
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onChange(text), REST);
      }}
    />
  );
}
