/**
 * Finding and creating elements.
 *
 * @module
 */

/**
 * Finds an element that the page must have.
 *
 * @param id Its id.
 * @param type Its class.
 * @returns The element.
 * @throws {TypeError} Where the page has no such element.
 */
export function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new TypeError(`Cannot use element "${id}": the page has no ${type.name} of this id`);
}

/** The properties of an element for {@linkcode create}. */
export interface Properties {
  /** Its classes, separated by spaces. */
  readonly class?: string;
  /** Its text; never HTML. */
  readonly text?: string;
  /** Its attributes. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/**
 * Creates an element.
 *
 * @param tag Its name.
 * @param properties What to set on it.
 * @param children What to put into it, in order.
 * @returns The element.
 */
export function create<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (properties.class !== undefined) element.className = properties.class;
  if (properties.text !== undefined) element.textContent = properties.text;
  for (const [name, value] of Object.entries(properties.attributes ?? {})) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * Creates a button that submits nothing.
 *
 * @param text What it says.
 * @param onClick What it does.
 * @returns The button.
 */
export function createButton(text: string, onClick: () => void): HTMLButtonElement {
  const button = create("button", { text, attributes: { type: "button" } });
  button.addEventListener("click", onClick);
  return button;
}

/**
 * Changes the text of an element only where it differs, so that a screen reader does not say the
 * same again.
 *
 * @param element The element.
 * @param text Its text.
 */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
