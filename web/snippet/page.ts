// The page: finds the numbers in it, writes others in their place, and keeps doing so while it changes.

import { glance, swapped, type Swap } from "./numbers.ts";

// Elements that a line of text runs through. What a browser shows as a block ends a number.
const INLINE = /^(?:a|abbr|b|em|font|i|ins|label|mark|s|small|t?span|strong|su[bp]|time|u|wbr)$/i;
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
    ',style,textarea,code,option,[contenteditable]:not([contenteditable=false]),[data-np-skip]';
  const attributes = ["href", "title", "aria-label", "alt", "placeholder"];
  if (structured) attributes.push("content");
  const top = document.documentElement;
  const roots = new Set<Root>([top]);
  let swaps: Swap[] = [];
  let candidate: RegExp;
  let rounds = 0;
  let roundAt = 0;

  const mayTouch = (element: Element | null): boolean => !element?.closest?.(untouched);

  /** Swaps in the lines of text that a block consists of, through whatever elements they run. */
  const lines = (of: Node): void => {
    if (!mayTouch(of as Element)) return;
    const walker = document.createTreeWalker(of, 5);
    let nodes: Text[] = [];
    for (let node: Node | null = of; node; ) {
      node = walker.nextNode();
      if (node?.nodeType == 3 && block(node) == of && (node.parentNode == of || mayTouch(node.parentElement))) nodes.push(node as Text);
      else if (!node || node.nodeType == 3 || !isInline(node)) {
        const line = nodes.map((text) => text.data).join("");
        if (candidate.test(line)) {
          const letters = swapped(line, swaps, wrote);
          for (const text of nodes) {
            const now = letters.splice(0, text.length).join("");
            if (now != text.data) text.data = now;
          }
        }
        nodes = [];
      }
    }
  };

  const attribute = (element: Element, name: string): void => {
    const value = element.getAttribute(name);
    if (!value) return;
    const [, before, number, behind] = LINK.exec(value) ?? [];
    if (name == "href" && !before) return;
    const text = before ? dialled(number!) : value;
    const now = swapped(text, swaps, wrote, !!before).join("");
    if (now == text || !mayTouch(element)) return;
    // WhatsApp wants digits alone.
    element.setAttribute(name, before ? before + now.replace(/:$/.test(before) ? /\s/g : /\D/g, "") + behind : now);
  };

  const marked = (root: ParentNode, names: string[]): void => {
    for (const name of names) {
      for (const { from } of swaps) {
        for (const element of root.querySelectorAll(`[${name}*="${from.national.slice(name == "href" ? -2 : -1)}"]`)) attribute(element, name);
      }
    }
  };

  /** What is seen is swapped at once, the rest a moment later. */
  const look = (root: Root): void => {
    if (!swaps[0]) return;
    const walker = document.createTreeWalker(root, 4);
    const found = new Set<Node>();
    for (let node; (node = walker.nextNode()); ) if (candidate.test((node as Text).data)) found.add(block(node));
    found.forEach(lines);
    marked(root, ["href"]);
    setTimeout(lookCloser, 0, root.parentNode ?? root);
  };

  const lookCloser = (root: ParentNode): void => {
    for (const { shadowRoot } of root.querySelectorAll("*")) enter(shadowRoot);
    marked(root, attributes);
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
    // What was written here is no news; but it is counted.
    if (!observer.takeRecords()[0]) return;
    const now = performance.now();
    rounds = now - roundAt < ROUND_MS ? rounds + 1 : 0;
    roundAt = now;
    if (rounds > ROUNDS) {
      observer.disconnect();
      console.info("numberpool: the page insists on its number");
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
      candidate = glance(swaps);
      scan();
    },
    scan,
  };
};
