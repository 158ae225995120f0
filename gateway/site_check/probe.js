// Read in a page that is checked: what stands in it, as it is at this moment. Nothing in the page is changed.
(async () => {
  const INLINE = /^(?:a|abbr|b|em|font|i|ins|label|mark|s|small|t?span|strong|su[bp]|time|u|wbr)$/i;
  const UNTOUCHED = "style,textarea,code,option,[contenteditable]:not([contenteditable=false]),[data-np-skip]";
  const MOST = 4000;
  let room = 400_000; // letters of text in all
  const cut = (text, length = 300) => String(text ?? "").slice(0, length);
  const lines = [];
  const links = [];
  const attributes = [];
  const frames = [];
  const images = [];
  const add = (list, item) => list.length < MOST && list.push(item);

  const walk = (root, shadow) => {
    const blocks = new Map();
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (node.nodeType == 3) {
        const parent = node.parentElement;
        if (!/\d/.test(node.data) || parent?.closest("script,noscript,style,head")) continue;
        let block = node.parentNode;
        while (block.nodeType == 1 && INLINE.test(block.nodeName) && block.parentNode) block = block.parentNode;
        blocks.set(block, parent);
        continue;
      }
      if (node.nodeType != 1) continue;
      if (node.shadowRoot) walk(node.shadowRoot, true);
      for (const name of ["title", "aria-label", "alt", "placeholder"]) {
        const value = node.getAttribute(name);
        if (value && /\d/.test(value)) add(attributes, { name, value: cut(value), shadow });
      }
      const tag = node.nodeName.toLowerCase();
      if (tag == "a" && /^(?:tel|sms|callto|whatsapp):|wa\.me\//i.test(node.getAttribute("href") ?? ""))
        add(links, { href: cut(node.getAttribute("href")), shadow, kept: !!node.closest(UNTOUCHED) });
      if (tag == "iframe") {
        let text = null;
        try {
          text = cut(node.contentDocument.body.innerText, 20000);
        } catch {
          // Of another host.
        }
        add(frames, { src: cut(node.src || node.dataset.src), text });
      }
      if (tag == "img" || tag == "image")
        add(images, { src: cut(node.currentSrc || node.src || node.getAttribute("href")), alt: cut(node.alt) });
    }
    for (const [block, parent] of blocks) {
      const text = [...function* texts(node) {
        for (const child of node.childNodes) {
          if (child.nodeType == 3) yield child.data;
          else if (child.nodeType == 1 && !/^(?:script|style|noscript)$/i.test(child.nodeName)) {
            if (INLINE.test(child.nodeName)) yield* texts(child);
            else yield "\n";
          }
        }
      }(block)].join("");
      // Fewer digits in a row are no telephone number.
      if (!/(?:\d[^\p{L}\n]{0,6}){6}\d/u.test(text) || room < 0) continue;
      const shown = cut(text, 2000);
      room -= shown.length;
      add(lines, { text: shown, shadow, kept: !!parent?.closest(UNTOUCHED) });
    }
  };
  if (document.body) walk(document.body, false);

  const scripts = [];
  for (const script of document.querySelectorAll("script")) {
    const inline = script.textContent ?? "";
    const given = {};
    for (const { name, value } of script.attributes) given[name] = cut(value);
    const isOurs = Object.values(given).some((value) => /(?:^|\/)np\.js(?:[?#]|$)/.test(value));
    const isInline = /np\.js/.test(inline) && /localStorage\.getItem\(["']np_["']/.test(inline);
    if (isOurs || isInline)
      scripts.push({ attributes: given, inline: isInline, key: isInline ? /="([a-z0-9_-]{1,60})"/i.exec(inline)?.[1] ?? "" : "" });
  }

  const api = window.numberpool;
  let workers = [];
  try {
    const all = (await navigator.serviceWorker?.getRegistrations()) ?? [];
    workers = all.map((one) => ({ scope: one.scope, script: cut((one.active ?? one.waiting ?? one.installing)?.scriptURL) }));
  } catch {
    // Not a secure page.
  }
  const has = (name) => name in window && window[name] != null;
  const banners = {
    Cookiebot: "Cookiebot",
    OneTrust: "OneTrust",
    CookieYes: "getCkyConsent",
    Complianz: "complianz",
    Usercentrics: "UC_UI",
    Didomi: "Didomi",
    iubenda: "_iub",
    Osano: "Osano",
    Axeptio: "_axcb",
    Klaro: "klaro",
    Termly: "Termly",
    "Borlabs Cookie": "BorlabsCookie",
    CookieFirst: "CookieFirst",
    "a consent banner": "__tcfapi",
  };
  return {
    title: cut(document.title),
    url: location.href,
    ready: !!(api && api.on && api.lead),
    site: cut(api?.site ?? ""),
    scripts,
    lines,
    links,
    attributes,
    frames,
    images,
    password: [...document.querySelectorAll("input[type=password]")].some((field) => field.offsetParent !== null),
    controlled: !!navigator.serviceWorker?.controller,
    workers,
    banners: Object.keys(banners).filter((name) => has(banners[name])),
    structured: [...document.querySelectorAll('script[type="application/ld+json"]')].map((one) => cut(one.textContent, 5000)),
    hidden: document.hidden,
  };
})()
