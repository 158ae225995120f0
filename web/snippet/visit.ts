// What is asked of the collector, and what the browser keeps of its answers.

import type { Shown } from "./api.d.ts";

// A page waits no longer for its numbers; it keeps its own.
const PATIENCE_MS = 5000;

export interface Lent extends Shown {
  exposure: string | null;
  /** Seconds for which it may be shown from memory. */
  remember: number;
}

export interface Answer {
  visit: string | null;
  visitor: string | null;
  touch: boolean;
  /** Seconds. */
  remember: number;
  keep_alive: number;
  why: string;
  ask_again: number | null;
  numbers: Lent[];
}

/** Kept under one key; the inline variant reads it as well. Times in milliseconds since 1970. */
export interface Memory {
  visitor?: string | null;
  visit?: string | null;
  touch?: { url: string; referrer: string };
  granted?: boolean;
  /** When the visitor is forgotten. */
  until?: number;
  /** When a page was last known to be alive. */
  at?: number;
  numbers?: Lent[];
}

/** What the browser remembers of this site; nothing where it may not or cannot. With `memory`: remember that from now on. */
export const remembered = (key: string, memory?: Memory): Memory => {
  try {
    if (memory) localStorage.setItem(key, JSON.stringify(memory));
    memory = JSON.parse(localStorage.getItem(key)!) as Memory;
    if (memory.until! > Date.now()) return memory;
    localStorage.removeItem(key);
  } catch {
    // Blocked, or full: this page does without.
  }
  return {};
};

/** Posts; none where there is no good answer in time: the page is left as it is. */
export const post = async <T>(url: string, message: object): Promise<T | undefined> => {
  const body = JSON.stringify(message);
  // What is said in passing goes out even while the page goes away.
  if (/(?:leave|tap)$/.test(url) && navigator.sendBeacon(url, body)) return;
  try {
    const answer = await fetch(url, {
      method: "POST",
      body,
      credentials: "include",
      keepalive: true,
      signal: AbortSignal.timeout?.(PATIENCE_MS),
    });
    if (answer.ok) return await answer.json();
  } catch {
    // Down, slow, blocked, or not the collector.
  }
  return;
};
