// The inline variant: printed into the head of a page, it writes the remembered numbers while the parser adds nodes,
// before anything is painted, and has np.js loaded. What is not plain enough for it, np.js does a moment later: it takes
// a number only where it surely is one, and only where the new one is as long. The words in capitals are filled in where
// it is printed; its `data-` attributes are np.js's.

import type { Memory } from "./visit.ts";

const site = "__SITE__";
const base = "__BASE__";
const tag = document.currentScript as HTMLScriptElement;
const GAP = "[\\s()./\\-\\xad\\u2000-\\u2015\\u202f\\u2060\\u2212]{0,6}";
const UNTOUCHED = "script,style,textarea,code,option,[contenteditable],[data-np-skip]";
const INLINE = /^(?:a|abbr|b|em|font|i|label|mark|s|small|span|strong|u)$/i;

let memory: Memory = {};
try {
  memory = JSON.parse(localStorage.getItem("np_" + site)!) ?? {};
} catch {
  // Blocked: np.js asks.
}
const now = Date.now();
const known = (memory.until! > now ? memory.numbers! : [])
  .filter(
    ({ target, number, remember }) =>
      now - memory.at! < remember * 1000 &&
      target.country == number.country &&
      target.national.length == number.national.length,
  )
  .map(({ target: { country, trunk, national }, number }): [RegExp, string] => [
    RegExp(`(^\\s*|[^\\d\\s#№$€£¥+]\\s+|[:>]|\\d\\s+(?=[+(]))(\\(?(?:\\+?${country}${GAP}|${trunk || "(?!)"}${GAP})?${[...national].join(GAP)})(?=\\s*$|\\s+[^\\d\\s$€£¥%]|[,.;:!?)]+(?:\\s|$))`, "g"),
    number.national,
  ]);

/** A text with the numbers of this visitor; `link`: what a telephone dials. */
const swap = (text: string, link?: boolean): string =>
  known.reduce(
    (so_far, [form, national]) =>
      so_far.replace(form, (all, before: string, found: string) => {
        let place = national.length - found.replace(/\D/g, "").length;
        return !link && /^\d+$/.test(found) ? all : before + found.replace(/\d/g, (digit) => national[place++] ?? digit);
      }),
    text,
  );

/** The text before or behind a node in the same line; none where the line ends. */
const beside = (node: Node | null, side: "nextSibling" | "previousSibling"): Text | undefined => {
  while (node) {
    let next: Node | null = node[side];
    if (next) {
      do {
        node = next;
        if (node instanceof Text) return node;
        if (!INLINE.test(node.nodeName)) return;
      } while ((next = side == "nextSibling" ? node.firstChild : node.lastChild));
    } else {
      node = node.parentNode;
      if (!node || !INLINE.test(node.nodeName)) return;
    }
  }
  return;
};

const look = (node: Node): void => {
  if (node instanceof Text) {
    const nodes = [node];
    let other: Text | undefined = node;
    if (!/\d/.test(node.data)) return;
    while ((other = beside(other, "previousSibling"))) nodes.unshift(other);
    for (other = node; (other = beside(other, "nextSibling")); ) nodes.push(other);
    let text = swap(nodes.map((each) => each.data).join(""));
    for (const each of nodes) {
      const piece = text.slice(0, each.length);
      text = text.slice(each.length);
      if (piece != each.data && !each.parentElement?.closest(UNTOUCHED)) each.data = piece;
    }
  } else if (node instanceof HTMLAnchorElement) {
    const [, scheme, number] = /^(tel:)([^;?]+)$/.exec(node.getAttribute("href")!) ?? [];
    if (scheme && !node.closest(UNTOUCHED)) {
      const text = swap(number!, true);
      if (text != number) node.setAttribute("href", scheme + text);
    }
  }
};

const observer = new MutationObserver((records) => {
  for (const { target, addedNodes } of records) (addedNodes[0] ? addedNodes : [target]).forEach(look);
});
if (known[0]) observer.observe(document, { subtree: true, childList: true, characterData: true });
((window.numberpool ??= {}) as { stop?: () => void }).stop = () => observer.disconnect();

const script = document.createElement("script");
script.src = base + "np.js";
script.nonce = tag.nonce;
Object.assign(script.dataset, { site }, tag.dataset);
document.head.append(script);
