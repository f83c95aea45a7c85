/**
 * Groups of messages by one author.
 *
 * @module
 */

/** Milliseconds from the first message of a group within which others belong to it. */
const GROUP_MS = 5 * 60 * 1000;

/**
 * Lets a message go on the group of the one before it, or begin its own; and those after it, as far
 * as that changes anything for them.
 *
 * @param first The element of the message.
 * @param previous The one before it, where that stands in another list.
 */
export function regroup(first: HTMLElement, previous = first.previousElementSibling): void {
  for (let item: Element | null = first; item instanceof HTMLElement;) {
    const { user, sent, group } = item.dataset;
    if (sent === undefined) return;
    const before: Element | null = item === first ? previous : item.previousElementSibling;
    const began = before instanceof HTMLElement && before.dataset.user === user
      ? before.dataset.group
      : undefined;
    // From its first message: what comes every four minutes for hours is no one group.
    const continues = began !== undefined && Number(sent) - Number(began) < GROUP_MS;
    const next = continues ? began : sent;
    const isSame = next === group && item.classList.contains("continued") === continues;
    if (item !== first && isSame) return;
    item.dataset.group = next;
    item.classList.toggle("continued", continues);
    item = item.nextElementSibling;
  }
}
