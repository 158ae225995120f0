// Which keys are shortcuts of a page: those that no field, menu or dialog is meant to get.

const TAKEN = "input, select, textarea, details.menu, dialog, [role=menu]";

// A dialog that has just closed may keep the focus until the page is drawn anew; a key pressed then is the page's.
export function isShortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  return !event.target.closest(TAKEN) || event.target.closest("dialog:not([open])") !== null;
}

// By place of the letter on a Latin keyboard too, so that shortcuts work while another alphabet is on.
export function letter(event) {
  return /^Key[A-Z]$/.test(event.code) && !/^[a-z]$/.test(event.key) ? event.code[3].toLowerCase() : event.key;
}
