// What the visitor said to being remembered: to the page's own banner, to Google's consent mode, or by the browser.

export interface Consent {
  required: boolean;
  state: "unknown" | "granted" | "denied";
  signal?: string;
}

/** Global Privacy Control: https://privacycg.github.io/gpc-spec/ */
export const gpc = !!(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;

/** Whether anything may be kept in the browser, as far as the page knows. The collector has the last word. */
export const mayKeep = ({ required, state }: Consent): boolean => !gpc && (state == "granted" || (state == "unknown" && !required));

/**
 * Follow Google's consent mode: `gtag("consent", "default" | "update", {...})` leaves its arguments in `dataLayer`.
 * Storage for analytics and for advertising must both be granted where they are named. Whether a default for some
 * regions is meant for this visitor cannot be told here; a refusal is taken to be, a grant is not.
 */
export const followConsentMode = (layer: unknown[], heard: (granted: boolean, kind: unknown) => void): void => {
  const read = (entry: unknown): void => {
    const { 0: word, 1: kind, 2: said } = (entry ?? {}) as { 0?: string; 1?: string; 2?: Record<string, string> };
    if (word != "consent" || !said) return;
    const named = said.analytics_storage + "," + said.ad_storage;
    if (/denied/.test(named)) heard(false, kind);
    else if (/granted/.test(named) && !said.region) heard(true, kind);
  };
  layer.forEach(read);
  const { push } = layer;
  layer.push = (...entries) => {
    entries.forEach(read);
    return push.apply(layer, entries);
  };
};
