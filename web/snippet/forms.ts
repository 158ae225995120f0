// Form capture: what a visitor sends with a form that is marked `data-np-form` is handed in as a lead. Loaded only where
// a page has such a form.

import type { Details, Numberpool } from "./api.d.ts";

// Secrets, and what the page keeps for itself, are never taken.
const KEPT = /^(?:password|hidden|file|submit|button|reset|image)$/;

addEventListener(
  "submit",
  ({ target }) => {
    const form = target as HTMLFormElement;
    const name = form.dataset.npForm;
    if (name == null) return;
    const data: Details = { form: name || form.getAttribute("id") || location.pathname };
    for (const field of form.elements as unknown as HTMLInputElement[]) {
      const { name, type, value, checked, autocomplete } = field;
      if (!name || !value || KEPT.test(type) || /^cc-/.test(autocomplete) || field.closest("[data-np-skip]")) continue;
      if (/^(?:checkbox|radio)$/.test(type) && !checked) continue;
      data[name] = value.slice(0, 2000);
    }
    (window.numberpool as Numberpool).lead("form", data);
  },
  true,
);
