"""Looks at a page of a site with a real browser, and says what becomes of the snippet and the numbers in it."""
