// The page: finds the numbers in it, writes others in their place, and keeps doing so while it changes.

import { anywhere, swapped, type Swap } from "./numbers.ts";

// Elements that a line of text runs through. What a browser shows as a block ends a number.
const INLINE = /^(?:a|abbr|b|bdi|em|font|i|ins|label|mark|s|small|t?span|strong|su[bp]|time|u|wbr)$/i;
/** A link that a telephone opens: what is before the number, the number, what is behind. */
export const LINK = /^((?:tel|sms|callto):|.*(?:wa\.me\/|whatsapp.*phone=))([^?;&]*)(.*)/i;
// So many rounds of writing, faster than so many milliseconds each, are a fight with a page that puts its own number
// back: it wins.
const ROUNDS = 40;
const ROUND_MS = 250;

type Root = Element | ShadowRoot;

export interface Page {
  /** Write these from now on. */
  show(swaps: Swap[]): void;
  /** Look through the whole page once more. */
  scan(): void;
}

/** The number in a telephone link, as it is dialled. */
export const dialled = (part: string): string => part.replace(/%2b/i, "+").replace(/%\w\w/g, " ");

const isInline = (node: Node): boolean => node.nodeType == 3 || INLINE.test(node.nodeName);

/** The block that a node is in, or is. */
const block = (node: Node): Node => {
  while (isInline(node) && node.parentNode) node = node.parentNode;
  return node;
};

/** Watches the document; `structured`: numbers meant for search engines are swapped as well. */
export const watch = (structured: boolean, wrote: (swap: Swap) => void): Page => {
  const untouched =
    (structured ? 'script:not([type="application/ld+json"])' : "script") +
    ',style,textarea,code,option,[contenteditable]:not([contenteditable="false"]),[data-np-skip]';
  const attributes = ["href", "title", "aria-label", "alt", "placeholder"];
  if (structured) attributes.push("content");
  const top = document.documentElement;
  const roots = new Set<Root>([top]);
  let swaps: Swap[] = [];
  let candidates: RegExp | undefined;
  let rounds = 0;
  let roundAt = 0;

  const mayTouch = (element: Element | null): boolean => !element?.closest(untouched);

  /** Swaps in the lines of text that a block consists of, through whatever elements they run. */
  const lines = (of: Node): void => {
    const walker = document.createTreeWalker(of, 5);
    let nodes: Text[] = [];
    for (let node: Node | null = of; node; ) {
      node = walker.nextNode();
      if (node?.nodeType == 3 && block(node) == of && mayTouch(node.parentElement)) nodes.push(node as Text);
      else if (!node || node.nodeType == 3 || !isInline(node)) {
        const letters = swapped(nodes.map((text) => text.data).join(""), swaps, wrote);
        for (const text of nodes) {
          const now = letters.splice(0, text.length).join("");
          if (now != text.data) text.data = now;
        }
        nodes = [];
      }
    }
  };

  const attribute = (element: Element, name: string): void => {
    const value = element.getAttribute(name);
    if (!value || !/\d/.test(value) || !mayTouch(element)) return;
    const [, before, number, behind] = LINK.exec(value) ?? [];
    if (name == "href" && !before) return;
    const text = before ? dialled(number!) : value;
    const now = swapped(text, swaps, wrote, !!before).join("");
    if (now == text) return;
    // WhatsApp wants digits alone.
    element.setAttribute(name, before ? before + now.replace(/:$/.test(before) ? /\s/g : /\D/g, "") + behind : now);
  };

  const look = (root: Root): void => {
    for (const { shadowRoot } of [root as Element, ...root.querySelectorAll("*")]) enter(shadowRoot);
    if (!candidates) return;
    const walker = document.createTreeWalker(root, 4);
    const found = new Set<Node>();
    let node: Node = root;
    let end = 0;
    for (const { 0: digits, index } of root.textContent!.matchAll(candidates)) {
      while (end < index! + digits.length) end += ((node = walker.nextNode()!) as Text).length;
      found.add(block(node));
    }
    found.forEach(lines);
    for (const name of attributes) {
      if ((root as Element).getAttribute) attribute(root as Element, name);
      for (const element of root.querySelectorAll(`[${name}]`)) attribute(element, name);
    }
  };

  const enter = (root: ShadowRoot | null): void => {
    if (root?.isConnected && !roots.has(root) && mayTouch(root.host)) {
      roots.add(root);
      observe(root);
      look(root);
    }
  };

  const observe = (root: Root): void =>
    observer.observe(root, { subtree: true, childList: true, characterData: true, attributeFilter: attributes });

  const observer = new MutationObserver((records) => {
    const places = new Set<Node>();
    for (const { attributeName, target, addedNodes } of records) {
      if (attributeName) attribute(target as Element, attributeName);
      else for (const node of addedNodes.length ? addedNodes : [target]) if (node.isConnected) places.add(block(node));
    }
    for (const place of places) if ((place as Element).querySelectorAll) look(place as Root);
    // What was written here is no news.
    if (!observer.takeRecords()[0]) return;
    const now = performance.now();
    rounds = Math.max(0, rounds - (now - roundAt) / ROUND_MS) + 1;
    roundAt = now;
    if (rounds > ROUNDS) {
      observer.disconnect();
      console.info("numberpool: gave up, the page insists on its number");
    }
  });

  const scan = (): void => {
    rounds = 0;
    for (const root of roots) {
      if (root.isConnected) {
        observe(root);
        look(root);
      } else roots.delete(root);
    }
    observer.takeRecords();
  };

  const native = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = native.call(this, options);
    enter(this.shadowRoot);
    return root;
  };

  return {
    show(now) {
      // What is shown is never replaced itself, so that nothing goes round in a circle.
      swaps = now.filter(({ from }) => !now.some(({ to }) => to.e164 == from.e164));
      candidates = swaps.length ? anywhere(swaps) : undefined;
      scan();
    },
    scan,
  };
};
