// Somebody new opened the page: what the snippet remembers of whoever used this browser before is not his.
try {
  localStorage.removeItem("np_" + document.currentScript.dataset.site);
} catch {
  // Storage is blocked: then there is nothing to forget.
}
