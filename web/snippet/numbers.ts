// Telephone numbers in text: where one stands, and how another is written in its place. Pure: text in, edits out.

import type { NumberParts } from "./api.d.ts";

/** One number that may stand on the page, and the one to write instead. */
export interface Swap {
  from: NumberParts;
  to: NumberParts;
}

// What people put between the digits: spaces of any width, dots, slashes, brackets, hyphens and dashes, middle dots,
// the marks that nobody sees (soft hyphen, joiners, direction), and the wide forms of East Asia.
const MARK = "[\\s()./\\-\\xad\\xb7\\u2000-\\u2015\\u2027-\\u202f\\u2060-\\u2069\\u2212\\uff08-\\uff0f]";
const GAP = MARK + "{0,6}";
// Letters of scripts that put spaces between words; a number may follow any other directly.
const LETTER = "\\w\\xc0-\\u052f";
const MONEY = "(?:[$€£¥₽₹]|\\b(?:USD|CAD|EUR)\\b)";
// A number that was found, in its surroundings, by how it is written: (306) 555-1234, 306-555-1234, 306 555 1234,
// 3065551234. The more it looks like a telephone number, the more may stand beside it.
const [BRACKETED, MARKED, SPACED, PLAIN] = ["\x01", "\x02", "\x03", "\x04"];
const IT = "[\x01-\x04]";
const LIST = "\\s+[-–—/|·]\\s+";
// What makes it a piece of something else.
const PIECE = RegExp(
  [
    // an address, a parameter, another country's or a longer number
    `[@=&?%\\\\/~+]${IT}`,
    `(?://|@|www\\.)\\S*${IT}`,
    `(?:\\+\\(?|(?:^|[^\\d:.,])00)\\d{1,3}${MARK}*\\d{0,4}${MARK}*${IT}`,
    `\\d(?!${LIST}|[.)]?\\s+[\x01\x02])${MARK}*${IT}`,
    `(?![\x01\x02]\\s+\\d)${IT}(?!${LIST})${MARK}*\\d`,
    // a word; with a hyphen it is an order. An extension is none.
    `[${LETTER}](?:[\x02-\x04]|[-\\u2010\\u2011]${IT})`,
    `${IT}[-\\u2010\\u2011./]?(?!(?:e?xt?n?|доб)[.:\\s]*\\d)[${LETTER}@=]`,
    `[#№]\\s?${PLAIN}`,
    // an amount
    `(?:^|\\D)${MONEY}\\s?${IT}`,
    `${IT}\\s?(?:${MONEY}(?!\\d)|%|руб)`,
    `\\d[,:]${PLAIN}|${PLAIN},\\d|${IT}:\\d`,
  ].join("|"),
  "i",
);

const spread = (digits: string): string => [...digits].join(GAP);

/** Whether a text may hold one of the numbers, or end with the beginning of one: a glance, whatever is around it. */
export const glance = (swaps: Swap[]): RegExp =>
  RegExp(swaps.map(({ from }) => [...from.national].reduceRight((rest, digit) => `${digit}${GAP}(?:$|${rest})`)).join("|"));

/** What may stand before the national digits: a country code behind + or 00, a trunk prefix, or nothing. */
const ahead = ({ country, trunk }: NumberParts): RegExp =>
  RegExp(
    `\\(?(?:(?:(?:\\+|00|011)${GAP})?(${spread(country)})${GAP}(?:\\(?(?!${country})${trunk || "(?!)"}\\)?${GAP})?|${trunk || "(?!)"}${GAP})?$`,
  );

/** `to` in the form in which `found` writes `from`: digit for digit where the counts are the same. */
const inItsForm = (found: string, abroad: string | undefined, { from, to }: Swap): string => {
  const { national, country } = to;
  if (country == from.country && national.length == from.national.length) {
    let place = national.length - found.replace(/\D/g, "").length;
    return found.replace(/\d/g, (digit) => national[place++] ?? digit);
  }
  const text = abroad || country != from.country ? to.international : to.written;
  return /[^+\d]/.test(found) ? text : text.replace(/[^+\d]/g, "");
};

/**
 * A text with its numbers swapped, as one piece for each letter of the old one, so that a text that is spread over
 * several elements can be put back into them. `bare`: it is nothing but a number, as in a `tel:` link.
 */
export const swapped = (text: string, swaps: Swap[], wrote?: (swap: Swap) => void, bare?: boolean): string[] => {
  const letters = text.split("");
  for (const swap of swaps) {
    for (const { 0: digits, index } of text.matchAll(RegExp(spread(swap.from.national), "g"))) {
      const [before, country] = ahead(swap.from).exec(text.slice(Math.max(0, index! - 25), index))!;
      // A bracket that closes behind the number was not opened for it.
      const found = (before + digits).replace(/^\((?!.*\))/s, "");
      const end = index! + digits.length;
      const start = end - found.length;
      const looks = bare ? SPACED : /^\(/.test(found) ? BRACKETED : /[^\d\s]/.test(found) ? MARKED : /\s/.test(found) ? SPACED : PLAIN;
      if (PIECE.test(text.slice(Math.max(0, start - 40), start) + looks + text.slice(end, end + 30))) continue;
      const written = inItsForm(found, country, swap);
      // As long as the old one: each letter keeps its place. Else the first takes it all.
      for (let i = start; i < end; i++) letters[i] = (written.length == found.length ? written[i - start] : i > start ? "" : written)!;
      wrote?.(swap);
    }
  }
  return letters;
};
