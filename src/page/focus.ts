/**
 * The focus of the keyboard.
 *
 * @module
 */

/**
 * Removes, hides or disables something, and moves the focus on where it would be lost: a browser
 * lets it fall to the body, and a reader without a mouse begins at the top of the page again.
 *
 * @param element What goes, with all that is in it.
 * @param change Makes it go.
 * @param next Says where the focus goes to then; asked after the change.
 */
export function withoutFocusLoss(
  element: HTMLElement,
  change: () => void,
  next: () => HTMLElement | null,
): void {
  const hadFocus = element.contains(document.activeElement);
  change();
  if (hadFocus && !isFocusable(document.activeElement)) next()?.focus();
}

/** Whether the focus is where keys still do something. */
function isFocusable(element: Element | null): boolean {
  return element instanceof HTMLElement && element !== document.body &&
    element.checkVisibility() && !element.matches(":disabled");
}
