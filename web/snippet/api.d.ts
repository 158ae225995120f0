// What `window.numberpool` offers to a page. Copy this file beside your own sources, or name it in `types`.

/** A telephone number in the forms in which a page may print it. */
export interface NumberParts {
  /** `+13065552001` */
  e164: string;
  /** Calling code: `1` */
  country: string;
  /** National significant number, digits alone: `3065552001` */
  national: string;
  /** What is dialled before it within the country: `1`, `0`, `8`, or nothing */
  trunk: string;
  /** As people write it within the country: `(306) 555-2001` */
  written: string;
  /** As people write it abroad: `+1 306-555-2001` */
  international: string;
}

/** A number of the page, and the one that this visitor is shown in its place. */
export interface Shown {
  target: NumberParts;
  number: NumberParts;
  why: "lent" | "static" | "fallback" | "page";
}

/** A telephone, text or WhatsApp link was tapped. */
export interface Tap {
  /** The address of the link. */
  href: string;
  /** The swapped number it leads to; none: it leads to another. */
  shown?: Shown;
}

export type Details = Record<string, string | number | boolean | null>;

export interface Numberpool {
  /** The public key of the site. */
  readonly site: string;
  /** Called with every number that is written into the page; at once with those that are written already. */
  on(event: "swap", listener: (shown: Shown) => void): void;
  /** Called before the telephone opens. */
  on(event: "tap", listener: (tap: Tap) => void): void;
  /** A text with the numbers in it as this visitor is shown them, in the form in which it writes them. */
  number(text: string): string;
  /** Ask for the numbers again, and look through the whole page; done when they are written. */
  refresh(): Promise<void>;
  /** What the visitor said to being remembered. */
  consent(granted: boolean): Promise<void>;
  /** Hand in a lead of this visit, such as `lead("chat", { name: "Ann", phone: "306-555-0190" })`; whether it was taken. */
  lead(kind: string, data: Details): Promise<boolean>;
}

/** What a page may put there before the snippet is loaded. */
export interface Beforehand {
  site?: string;
  /** Where the collector is, when it cannot be told from the address of the script: `https://example.com/np/` */
  base?: string;
  consent?: "required";
  jsonld?: boolean;
  /** Calls to be made once the snippet is there: `numberpool.q.push(["on", "swap", listener])` */
  q?: [keyof Numberpool, ...unknown[]][];
}

declare global {
  interface Window {
    numberpool?: Numberpool | Beforehand;
    dataLayer?: unknown[];
  }
}
