// The snippet: shows this visitor's numbers on the page, and tells the collector while they are there.

import type { Beforehand, Numberpool, Shown, Tap } from "./api.d.ts";
import { followConsentMode, gpc, mayKeep, type Consent } from "./consent.ts";
import { swapped, type Swap } from "./numbers.ts";
import { dialled, LINK, watch } from "./page.ts";
import { post, remembered, type Answer, type Lent } from "./visit.ts";

// A visit that was quiet for so long is over (as in Google Analytics).
const VISIT_MS = 1_800_000;
// Nobody who touched nothing for so long is there any more.
const USED_MS = 300_000;
const ASK_AGAIN = 20;
const TAGS = /[?&](?:utm_\w+|\w+clid|\w+braid)=/;

type Listener = (value: Shown | Tap) => void;

const start = (): void => {
  const early = (window.numberpool ?? {}) as Beforehand & Partial<Numberpool> & { stop?: () => void };
  if (early.lead) return; // included twice
  const tag = document.currentScript as HTMLScriptElement | null;
  const address = new URL(tag?.src || location.href);
  const given: Beforehand & DOMStringMap = { ...early, ...tag?.dataset } as never;
  const site = given.site || address.searchParams.get("site")!;
  if (!site) return; // numberpool site check says so
  const base = early.base ?? new URL(".", address);
  const key = "np_" + site;
  const layer = (window.dataLayer ??= []);

  const consent: Consent = { required: given.consent == "required", state: "unknown" };
  const listeners: Record<string, Listener[]> = { swap: [], tap: [] };
  let memory = remembered(key);
  let shown: Lent[] = [];
  // What was written in place of a target stands for it from then on, also what an earlier page left for the inline variant.
  const earlier = memory.numbers ?? [];
  let swaps: Swap[] = [];
  let written = new Set<Lent>();
  let exposures: string[] = [];
  let keepAlive: number;
  let usedAt: number;
  let aliveAt = 0;
  let askAt = 0;
  let tries = 0;
  let place: string;
  let asking = Promise.resolve();

  const isAway = (): boolean | undefined => document.hidden || (document as { prerendering?: boolean }).prerendering;
  const age = (): number => Date.now() - memory.at!;
  const send = <T>(path: string, more?: object): Promise<T | undefined> =>
    post(base + "v1/" + path, {
      site,
      visit: age() < VISIT_MS ? memory.visit : null,
      url: location.href,
      title: document.title,
      exposures,
      ...more,
    });
  const keep = (): unknown => remembered(key, memory.visitor && mayKeep(consent) ? memory : {});

  const say = (event: string, value: Shown | Tap, number: string, target?: string): void => {
    layer.push({ event: "np_" + event, np_number: number, np_target: target });
    // What goes wrong in a listener stops nothing here.
    for (const listener of listeners[event]!) setTimeout(listener, 0, value);
  };

  const page = watch("jsonld" in given, ({ to }) => {
    const one = shown.find(({ number }) => number.e164 == to.e164);
    if (!one || written.has(one)) return;
    written.add(one);
    say("swap", one, to.e164, one.target.e164);
  });

  const show = (numbers: Lent[]): void => {
    shown = numbers;
    exposures = numbers.flatMap(({ exposure }) => exposure ?? []);
    written = new Set();
    swaps = numbers.flatMap(({ target, number }) =>
      [target, ...earlier.flatMap((one) => (one.target.e164 == target.e164 ? one.number : []))].map((from) => ({ from, to: number })),
    );
    earlier.push(...numbers);
    page.show(swaps);
  };

  const ask = (path = "visit"): Promise<void> => (asking = asking.then(() => askNow(path)));

  const askNow = async (path: string): Promise<void> => {
    if (isAway()) return; // asks when it is shown
    askAt = Infinity;
    tries++;
    const { visitor, touch } = memory;
    const here = { url: location.href, referrer: document.referrer };
    const answer = await send<Answer>(path, {
      ...here,
      visitor,
      touch,
      automated: navigator.webdriver,
      consent,
      gpc,
    });
    aliveAt = Date.now();
    const again = answer?.numbers ? answer.ask_again : tries * ASK_AGAIN;
    if (again) askAt = aliveAt + again * 1000;
    if (!answer?.numbers) return;
    keepAlive = answer.keep_alive * 1000;
    memory = {
      ...answer,
      touch: answer.touch ? here : touch,
      granted: consent.state == "granted",
      until: aliveAt + answer.remember * 1000,
      at: aliveAt,
    };
    keep();
    show(answer.numbers);
  };

  /** What is to be done when a second has passed, or the page is shown: ask, or say that it is there. */
  const look = async (): Promise<void> => {
    const now = Date.now();
    const before = place;
    place = location.pathname + location.search;
    // Another page without being loaded; with new tags it is another touch.
    if (tries && before != place) TAGS.test(place) ? (askAt = 0) : send("page");
    if (isAway()) return;
    if (askAt < now) return ask();
    if (exposures[0] && now - usedAt < USED_MS && now - aliveAt > keepAlive) {
      aliveAt = now;
      const answer = await send<Answer>("alive");
      if (answer) {
        memory.at = now;
        keep();
        if (answer.ask_again) askAt = 0;
      }
    }
  };

  const used = (): void => {
    usedAt = Date.now();
  };

  const decide = async (granted: boolean, signal: string): Promise<void> => {
    const state = granted ? "granted" : "denied";
    if (consent.state == state) return;
    consent.state = state;
    consent.signal = signal;
    if (!granted) remembered(key, {});
    if (tries) await ask("consent");
  };

  const tapped = (event: Event): void => {
    for (const node of event.composedPath()) {
      const { href } = node as HTMLAnchorElement;
      const link = LINK.exec(href);
      if (!link) continue;
      const number = dialled(link[2]!).replace(/\D/g, "");
      const one = shown.find((each) => number.endsWith(each.number.national));
      send("tap", { exposure: one?.exposure, number });
      say("tap", { href, shown: one }, number);
      break;
    }
  };

  const api: Numberpool = {
    site,
    on(event: string, listener: unknown) {
      listeners[event]!.push(listener as Listener);
      if (event != "tap") written.forEach(listener as Listener);
    },
    number: (text) => swapped(text, swaps).join(""),
    refresh: () => ask().then(page.scan),
    consent: (granted) => decide(granted, "api"),
    lead: async (kind, data) => !!(await send("lead", { kind, data })),
  };
  early.stop?.();
  window.numberpool = api;

  if (memory.granted) consent.state = "granted";
  followConsentMode(layer, (granted, kind) => {
    if (kind != "default") decide(granted, "consent mode");
    else if (!granted) consent.required = true;
  });
  for (const [name, ...values] of early.q ?? []) (api[name] as (...values: unknown[]) => void)(...values);
  if (mayKeep(consent)) show(earlier.filter((one) => age() < one.remember * 1000));
  else remembered(key, {});

  const listen = (names: string, heard: (event: never) => void): void =>
    names.split(" ").forEach((name) => addEventListener(name, heard as EventListener, true));
  listen("pointerdown pointermove keydown scroll", used);
  listen("click", tapped);
  listen("pagehide pageshow visibilitychange prerenderingchange", ({ type }: Event) => {
    if (type == "pagehide") askAt = 0; // a page that comes back asks anew
    if (type == "pagehide" || isAway()) {
      if (aliveAt) send("leave");
      aliveAt = 0;
    } else {
      used();
      look();
    }
  });
  setInterval(look, 1000);
  used();
  look();

  if (document.querySelector("[data-np-form]")) {
    const forms = document.createElement("script");
    forms.nonce = tag!.nonce;
    forms.src = base + "np-forms.js";
    document.head.append(forms);
  }
};

try {
  start();
} catch (error) {
  console.info(error);
}
